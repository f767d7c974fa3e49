// A small memory of what was read a moment ago, so that a burst of visitors is one question to the API.

interface Entry<T> {
  value: T;
  at: number;
}

/** Thrown instead of asking when too many questions are already waiting for an answer. */
export class Busy extends Error {}

/**
 * Keeps at most `size` values. One younger than `fresh` ms is returned as it is; one younger than `stale` ms too, while
 * it is read again in the background; an older one, or none, is waited for. Equal questions at the same time are one.
 * A failure is never kept, and does not remove what is there.
 */
export class Cache {
  readonly #entries = new Map<string, Entry<unknown>>();
  readonly #pending = new Map<string, Promise<unknown>>();

  constructor(readonly limits: { fresh: number; stale: number; size: number; pending: number }) {}

  /** `key` decides the type: callers give each kind of question a prefix of its own. */
  async get<T>(key: string, read: () => Promise<T>): Promise<T> {
    const entry = this.#entries.get(key) as Entry<T> | undefined;
    const age = entry ? performance.now() - entry.at : Infinity;
    if (entry && age < this.limits.stale) {
      // Last used goes last: the map's order is the order of eviction.
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
