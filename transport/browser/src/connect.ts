import type { Ended } from "./closes.js";
import type { ConnectOptions } from "./options.js";
import { Session } from "./session.js";

/** What connect throws when there will be no session; ended says why. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";

  constructor(readonly ended: Ended) {
    super(`no session: ${ended.reason}${ended.message && `, ${ended.message}`} (${ended.code})`);
  }
}

/** Connects, with the worklet where the bundle knows it to be. */
export async function connectWith(options: ConnectOptions, worklet: string | URL): Promise<Session> {
  const session = new Session(options, worklet);
  const { microphone = true } = options;
  // The browser wants its question asked in the click's own time: before the server answers.
  if (microphone) void session.openMicrophone(microphone === true ? {} : microphone);
  await new Promise<void>((resolve, reject) => {
    const offs = [
      session.on("state", ({ state }) => state !== "connecting" && state !== "ended" && settle(resolve)),
      session.on("ended", (ended) => settle(() => reject(new ConnectError(ended)))),
    ];
    const settle = (act: () => void) => {
      for (const off of offs) off();
      act();
    };
  });
  return session;
}
