// Aila for pages without modules: <script src=".../client/aila.iife.js"> gives a global Aila.

import { connectWith, ConnectError } from "./connect.js";
import type { ConnectOptions } from "./options.js";

const here = (document.currentScript as HTMLScriptElement | null)?.src ?? location.href;

Object.assign(globalThis, {
  Aila: {
    connect: (options: ConnectOptions = {}) => connectWith(options, new URL("./aila-worklet.js", here)),
    ConnectError,
  },
});
