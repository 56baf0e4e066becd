// The demo page: consent, a talk, and how it went.

import { Aila, ConnectError, type Session } from "/client/aila.js";
import { at, View } from "./view.js";
import { duration, goawayWords, hint, microphoneTrouble, processingWords } from "./words.js";

/** How the user speaks; kept for the tab, so that a reload goes on in the same way. */
interface Manner {
  mode: "open" | "press" | "sample";
  clinical: boolean;
}

const MANNER = "aila.page";
const view = new View();
const query = new URLSearchParams(location.search);

let session: Session | undefined;
let manner: Manner = { mode: "open", clinical: false };

async function begin(chosen: Manner): Promise<void> {
  manner = chosen;
  sessionStorage.setItem(MANNER, JSON.stringify(manner));
  at("mic").dataset.mode = manner.mode;
  view.show("talk");
  view.state({ state: "connecting" });
  try {
    const connecting = Aila.connect({
      voice: query.get("voice") ?? undefined,
      token: new URLSearchParams(location.hash.slice(1)).get("token") ?? undefined,
      microphone: false,
      muted: manner.mode === "press",
      binary: query.get("json") === null,
      tap: query.has("tap"),
      deviceRate: Number(query.get("rate")) || undefined,
    });
    session = await connecting;
  } catch (err) {
    const ended = err instanceof ConnectError ? err.ended : ({ reason: "error", code: 0, message: String(err) } as const);
    sessionStorage.removeItem(MANNER);
    view.state({ state: "ended" });
    return view.ended(ended, { resumes: 0, lost_ms: 0 } as Session["stats"]);
  }
  Object.assign(globalThis, { aila: session }); // for curious people, and tests
  listen(session);
  at("voice-name").textContent = session.voice;
  showHeard();
  at("mic").focus({ preventScroll: true });
  view.state(session);
  if (session.sound !== "running") showSound();
  if (manner.mode === "sample") await playSample();
  else await openMicrophone();
}

function listen(s: Session): void {
  s.on("state", (e) => {
    view.state(e);
    showHeard();
  });
  s.on("level", (e) => view.level(e));
  s.on("stats", (e) => view.stats(e));
  s.on("sound", showSound);
  s.on("microphone", showMicrophone);
  s.on("transcript", (t) => view.line(t.role, t.text, `${t.role} ${t.item_id}`));
  s.on("notice", (n) => view.line(n.kind === "crisis" ? "alarm" : "page", n.text));
  s.on("resumed", ({ away_ms }) => view.line("page", away_ms ? `The connection was gone for ${duration(away_ms)}. Nothing was lost.` : "Taken up again."));
  s.on("goaway", (g) => {
    const { banner, line } = goawayWords(g);
    if (g.action === "end") view.banner("goaway", banner);
    view.line("page", line);
  });
  s.on("moved", ({ carried_ms }) => {
    view.hide("goaway");
    view.line("page", `We go on with a new server${carried_ms ? `, which was told the last ${duration(carried_ms)} first` : ""}.`);
  });
  s.on("gap", (g) => g.reason !== "paused" && view.line("page", "A moment of what you said did not reach the voice."));
  s.on("error", (e) => e.code === "voice_unavailable" && view.line("page", "The voice cannot be reached just now. It is tried again."));
  s.on("ended", (ended) => {
    session = undefined;
    sessionStorage.removeItem(MANNER);
    view.ended(ended, s.stats);
  });
}

async function openMicrophone(): Promise<void> {
  await session?.openMicrophone({ processing: manner.clinical ? "none" : "voice" });
  showHeard();
}

function showMicrophone(): void {
  if (!session) return;
  const trouble = microphoneTrouble(session.microphone);
  const retry = trouble?.retry ? { label: "Try again", run: () => void openMicrophone() } : undefined;
  if (trouble && manner.mode !== "sample") view.banner("microphone", trouble.words, retry, trouble.retry);
  else view.hide("microphone");
  at("microphone-words").textContent = session.microphone === "on" ? processingWords(manner.clinical, session.microphoneSettings) : "";
  showHeard();
}

function showSound(): void {
  if (!session || session.sound === "running" || session.sound === "closed") return view.hide("sound");
  if (session.sound === "failed") return view.banner("sound", "The sound could not be set up. Please load the page again.", undefined, true);
  const words = session.sound === "interrupted" ? "Something else is using the sound." : "The browser waits for a touch before it lets you hear anything.";
  view.banner("sound", words, { label: "Let me hear", run: () => void session?.unlock() });
}

// showHeard shows whether the voice hears the user, on the middle button.
function showHeard(): void {
  if (!session) return;
  const heard = !session.muted && (session.microphone === "on" || manner.mode === "sample");
  const mic = at<HTMLButtonElement>("mic");
  mic.dataset.heard = heard ? "yes" : "no";
  const press = manner.mode === "press";
  if (press) mic.setAttribute("aria-pressed", String(heard));
  else mic.removeAttribute("aria-pressed"); // its words say what it does
  at("mic-words").textContent = press ? (heard ? "Listening" : "Hold") : session.muted ? "Unmute" : "Mute";
  at("hint").textContent = hint(manner.mode, session.state, heard, session.microphone);
}

async function playSample(): Promise<void> {
  const s = session;
  if (!s) return;
  at<HTMLButtonElement>("sample").disabled = true;
  const muted = s.muted;
  const answer = await fetch("/page/speech.mp3");
  const source = s.context.createBufferSource();
  source.buffer = await s.context.decodeAudioData(await answer.arrayBuffer());
  source.onended = () => {
    at<HTMLButtonElement>("sample").disabled = false;
    if (session !== s) return;
    s.commit();
    s.mute(muted);
    if (manner.mode === "sample") s.closeMicrophone();
    else void openMicrophone();
  };
  await s.hear(source);
  s.unmute();
  source.start();
  showHeard();
}

function press(down: boolean): void {
  if (!session || manner.mode !== "press" || session.muted === !down) return;
  session.mute(!down);
  if (!down) session.commit();
  showHeard();
}

function wire(): void {
  const consent = at<HTMLFormElement>("consent");
  consent.addEventListener("submit", (e) => {
    e.preventDefault();
    const form = new FormData(consent);
    void begin({ mode: form.get("mode") === "press" ? "press" : "open", clinical: form.has("clinical") });
  });
  at("sample-begin").onclick = () => void begin({ mode: "sample", clinical: false });
  at("end").onclick = () => void session?.end({ now: true });
  at("interrupt").onclick = () => session?.interrupt();
  at("cut").onclick = () => session?.cut(2000);
  at("sample").onclick = () => void playSample();
  at("again").onclick = () => {
    at<HTMLInputElement>("agree").checked = false;
    view.show("welcome");
    view.state({ state: "ended" });
    at("begin").focus();
  };
  at("write").addEventListener("submit", (e) => {
    e.preventDefault();
    const input = at<HTMLInputElement>("text");
    const text = input.value.trim();
    if (!text || !session) return;
    session.say(text);
    view.line("user", text);
    input.value = "";
  });
  wireButton(at("mic"));
}

// wireButton makes the middle button a switch or, where one holds to talk, a key.
function wireButton(mic: HTMLElement): void {
  mic.addEventListener("click", () => {
    if (!session || manner.mode === "press") return;
    session.mute(!session.muted);
    showHeard();
  });
  mic.addEventListener("pointerdown", (e) => {
    if (manner.mode !== "press") return;
    mic.setPointerCapture(e.pointerId);
    press(true);
  });
  mic.addEventListener("contextmenu", (e) => e.preventDefault()); // what a long touch would open
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) mic.addEventListener(name, () => press(false));
  const talks = (e: KeyboardEvent) => {
    if (manner.mode !== "press" || !session) return false;
    const elsewhere = (e.target as HTMLElement).closest("input, button, summary, a, [tabindex]");
    return e.target === mic ? e.key === " " || e.key === "Enter" : e.key === " " && !elsewhere;
  };
  addEventListener("keydown", (e) => {
    if (!talks(e)) return;
    e.preventDefault();
    press(true);
  });
  addEventListener("keyup", (e) => talks(e) && press(false));
  addEventListener("blur", () => press(false));
}

wire();
// A page that was reloaded in the middle of a talk goes on with it: its consent was given.
const kept = sessionStorage.getItem(MANNER);
if (kept && sessionStorage.getItem("aila.session")) void begin(JSON.parse(kept));
