// A small cache of reads, so that a burst of visitors causes one request to the API.

interface Entry<T> {
  value: T;
  at: number;
}

/** Thrown if too many requests already wait for an answer. */
export class Busy extends Error {}

/**
 * Keeps at most `size` values. Returns values younger than `fresh` ms. Returns values younger than `stale` ms and refreshes
 * them in the background. Reads older or missing values first. Equal requests at the same time are sent once. Failures are
 * not cached and remove nothing.
 */
export class Cache {
  readonly #entries = new Map<string, Entry<unknown>>();
  readonly #pending = new Map<string, Promise<unknown>>();

  constructor(readonly limits: { fresh: number; stale: number; size: number; pending: number }) {}

  /** The key determines the type: callers use a different prefix for each type. */
  async get<T>(key: string, read: () => Promise<T>): Promise<T> {
    const entry = this.#entries.get(key) as Entry<T> | undefined;
    const age = entry ? performance.now() - entry.at : Infinity;
    if (entry && age < this.limits.stale) {
      // Move the entry to the end: the map's order is the order of eviction.
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      if (age >= this.limits.fresh) this.#read(key, read).catch(() => {});
      return entry.value;
    }
    return this.#read(key, read);
  }

  #read<T>(key: string, read: () => Promise<T>): Promise<T> {
    const waiting = this.#pending.get(key);
    if (waiting) return waiting as Promise<T>;
    if (this.#pending.size >= this.limits.pending) return Promise.reject(new Busy('too many questions at once'));
    const reading = read()
      .then((value) => {
        this.#entries.delete(key);
        this.#entries.set(key, { value, at: performance.now() });
        if (this.#entries.size > this.limits.size) {
          const [oldest] = this.#entries.keys();
          if (oldest !== undefined) this.#entries.delete(oldest);
        }
        return value;
      })
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, reading);
    return reading;
  }
}
