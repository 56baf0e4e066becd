// What the page says, in words for people who came to talk and not to read.

import type { Ended, MicrophoneState, SessionEvents, State, Stats } from "/client/aila.js";

export function stateWords({ state, because }: SessionEvents["state"]): string {
  switch (state) {
    case "connecting":
      return "Connecting";
    case "listening":
      return "Listening";
    case "thinking":
      return "Thinking";
    case "speaking":
      return "Speaking";
    case "paused":
      return "Paused";
    case "reconnecting":
      return because === "drain" ? "Moving to a new server" : because === "voice" ? "Waiting for the voice" : "Reconnecting";
    case "ended":
      return "Ended";
  }
}

/** What to tell about a microphone, and whether a click may help; undefined when there is nothing to tell. */
export function microphoneTrouble(state: MicrophoneState): { words: string; retry: boolean } | undefined {
  switch (state) {
    case "asking":
      return { words: "Your browser asks whether this page may use the microphone.", retry: false };
    case "silent":
      return { words: "The microphone gives no sound. Is it switched off?", retry: false };
    case "denied":
      return { words: "The browser keeps the microphone closed. Allow it beside the address of this page, or write instead.", retry: true };
    case "missing":
      return { words: "No microphone was found. Plug one in, or write instead.", retry: true };
    case "busy":
      return { words: "Another program is using the microphone.", retry: true };
    case "lost":
      return { words: "The microphone was unplugged. It opens again when there is one.", retry: true };
    case "unsupported":
      return { words: "This browser gives the page no microphone. Pages need https for that.", retry: false };
  }
  return undefined;
}

export function endWords(ended: Ended): { title: string; words: string } {
  switch (ended.reason) {
    case "client":
      return { title: "Thank you.", words: "The talk is over. Nothing of it is kept on this page." };
    case "idle":
      return { title: "It was quiet for a while.", words: "So the talk was closed. You can begin another at any time." };
    case "max_duration":
      return { title: "The time is over.", words: "A talk may last only so long. You can begin another." };
    case "operator":
      return { title: "The talk was ended.", words: "Someone who looks after this server has ended it." };
    case "shutdown":
      return { title: "The server is being renewed.", words: "Please begin again in a moment." };
    case "taken_over":
      return { title: "You went on elsewhere.", words: "The same talk was opened in another tab or on another device." };
    case "refused":
      return { title: "The server did not let us in.", words: "It may want a token: open this page with #token=… at the end of its address." };
    case "unreachable":
      return { title: "The server cannot be reached.", words: "Please look at your network, and try again." };
    case "lost":
      return { title: "The talk could not be taken up again.", words: "The connection was away for too long, or the server has begun anew." };
  }
  return { title: "Something went wrong.", words: `The talk had to stop (${ended.code}). You can begin another.` };
}

/** What to tell when the server says that it must go, or that the time is nearly over. */
export function goawayWords(g: SessionEvents["goaway"]): { banner: string; line: string } {
  const left = duration(g.time_left_ms);
  if (g.reason === "max_duration") return { banner: `This talk can go on for ${left} more.`, line: "The time for this talk is nearly over." };
  return { banner: `The server is being renewed. We go on with a new one within ${left}.`, line: "The server is being renewed." };
}

/** What the browser does to the sound although it was asked not to. */
export function processingWords(clinical: boolean, s: MediaTrackSettings | undefined): string {
  if (!clinical || !s) return "";
  const still = [s.echoCancellation && "echo cancelling", s.noiseSuppression && "noise removal", s.autoGainControl && "automatic gain"];
  const names = still.filter(Boolean).join(", ");
  return names ? `the browser still does: ${names}` : "voice left as it is";
}

export function hint(mode: "open" | "press" | "sample", state: State, heard: boolean, microphone: MicrophoneState): string {
  if (state === "reconnecting") return "You can go on speaking: it waits here and is sent as soon as the connection is back.";
  if (mode === "sample") return "A recorded voice speaks in your place.";
  if (microphone === "asking") return "";
  if (microphone !== "on") return "The microphone is closed. You can write instead.";
  if (mode === "press") return heard ? "You are heard. Let go when you have finished." : "Hold the button, or the space bar, to speak.";
  return heard ? "You are heard." : "You are muted: nothing is sent.";
}

export const duration = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

export function brief(s: Stats): string {
  const parts = [s.rtt_ms === undefined ? "" : `${s.rtt_ms} ms`, s.resumes ? `resumed ${s.resumes} times` : "", `${duration(s.lost_ms)} lost`];
  return parts.filter(Boolean).join(" · ");
}
