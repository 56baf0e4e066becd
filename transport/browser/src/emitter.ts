// Emitter is how a session says what happens: to functions, or to `for await` loops.

export class Emitter<Events extends object> {
  #listeners = new Map<keyof Events, Set<(e: never) => void>>();
  #streams = new Set<() => void>();
  #over = false;

  /** Calls fn at each event of this name, until the function that it returns is called. */
  on<K extends keyof Events>(name: K, fn: (event: Events[K]) => void): () => void {
    let set = this.#listeners.get(name);
    if (!set) this.#listeners.set(name, (set = new Set()));
    set.add(fn);
    return () => set.delete(fn);
  }

  /** Resolves with the next event of this name. */
  once<K extends keyof Events>(name: K): Promise<Events[K]> {
    return new Promise((resolve) => {
      const off = this.on(name, (e) => {
        off();
        resolve(e);
      });
    });
  }

  /** The events of this name from now on, for `for await`; it ends with the session. */
  stream<K extends keyof Events>(name: K): AsyncGenerator<Events[K], void, undefined> {
    const waiting: Events[K][] = [];
    let wake = () => {};
    const nudge = () => wake();
    const off = this.on(name, (e) => {
      waiting.push(e);
      wake();
    });
    this.#streams.add(nudge);
    const drain = async function* (over: () => boolean, done: () => void) {
      try {
        for (;;) {
          while (waiting.length) yield waiting.shift()!;
          if (over()) return;
          await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        done();
      }
    };
    return drain(
      () => this.#over,
      () => {
        off();
        this.#streams.delete(nudge);
      },
    );
  }

  /** Tells everyone. An error in a listener is reported and hurts nobody else. */
  protected emit<K extends keyof Events>(name: K, event: Events[K]): void {
    for (const fn of [...(this.#listeners.get(name) ?? [])]) {
      try {
        fn(event as never);
      } catch (err) {
        reportError(err);
      }
    }
  }

  /** Ends all streams, once they have given what they hold. */
  protected close(): void {
    this.#over = true;
    for (const wake of this.#streams) wake();
  }
}

const reportError = globalThis.reportError ?? ((err: unknown) => console.error(err));
