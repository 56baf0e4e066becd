// Weather is what happens around a page: networks come and go, tabs sleep, pages are left.

/** Who is told. */
export interface WeatherOwner {
  /** The network changed, or the page came back: what was true of the socket may no longer be. */
  changed(): void;
  /** The page is left, for a while or for good. */
  leaving(): void;
}

/** Watches until the function that it returns is called. */
export function watchWeather(owner: WeatherOwner): () => void {
  const over = new AbortController();
  const { signal } = over;
  const changed = () => owner.changed();
  const connection = (navigator as { connection?: EventTarget }).connection;
  connection?.addEventListener("change", changed, { signal });
  addEventListener("online", changed, { signal });
  addEventListener("offline", changed, { signal });
  addEventListener("pageshow", (e) => e.persisted && changed(), { signal });
  addEventListener("pagehide", () => owner.leaving(), { signal });
  document.addEventListener("resume", changed, { signal });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && changed(), { signal });
  return () => over.abort();
}
