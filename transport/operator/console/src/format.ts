// How numbers read to a person.

/** age says how long ago a time was, in its two largest units. */
export function age(iso: string, now = Date.now()): string {
  return span(Math.max(0, now - Date.parse(iso)));
}

/** span says how long some milliseconds are. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${String(s % 60).padStart(2, "0")}`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}`;
  const days = Math.floor(s / 86_400);
  return days < 10 ? `${days} d ${Math.floor((s % 86_400) / 3600)} h` : `${days} d`;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** count writes a whole number in full. */
export const count = (n: number): string => whole.format(n);

/** brief writes a number in few characters. */
export const brief = (n: number): string => (Math.abs(n) < 10_000 ? whole.format(n) : short.format(n));

/** bytes writes a size. */
export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1 << 20) return `${Math.round(n / 1024)} KiB`;
  return `${(n / (1 << 20)).toFixed(1)} MiB`;
}

/** millis writes a short time with three digits that count. */
export function millis(ms: number): string {
  if (ms >= 100) return ms.toFixed(0);
  return ms >= 10 ? ms.toFixed(1) : ms.toFixed(2);
}

/** clock writes the time of day, to the millisecond. */
export function clock(iso: string): string {
  const t = new Date(iso);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}.${String(t.getMilliseconds()).padStart(3, "0")}`;
}

/** plain writes a name of the protocol for people. */
export const plain = (name: string): string => name.replaceAll("_", " ");

/** tail is the end of an id: the part in which two of them differ. */
export const tail = (id: string): string => (id.length > 12 ? "…" + id.slice(-8) : id);
