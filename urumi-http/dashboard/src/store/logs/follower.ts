// Follows a store's logs and reconnects if the connection breaks.
import { request } from '../../api/client';
import { ApiError } from '../../api/problem';
import type { LogLine } from '../../api/types';
import { clean, isLine, KEPT, told, unheard, type Line, type Told } from './lines';

/** `interrupted` while it tries to reconnect; `refused` if a retry would not help. */
export type Phase = 'connecting' | 'live' | 'interrupted' | 'refused';

export interface Snapshot {
  phase: Phase;
  lines: readonly Line[];
  /** The total number of lines, including dropped ones. */
  total: number;
  error: unknown;
}

const TAIL = 1000;
/** Old lines arrive at once. After a silence of this length, lines are new. */
const SETTLED_MS = 400;
/** The maximum time for the old lines. */
const PATIENT_MS = 5_000;
const SHOWN_EVERY_MS = 100;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000];

export class LogFollower {
  #snapshot: Snapshot = { phase: 'connecting', lines: [], total: 0, error: null };
  readonly #listeners = new Set<() => void>();
  #connection = new AbortController();
  #wake: (() => void) | undefined;
  #pending: Line[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #total = 0;
  /** Lines received after a reconnect, until it is clear which ones are new. */
  #again: LogLine[] | undefined;
  #settleBy = 0;
  #settled: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly id: string,
    private readonly component: string | undefined,
  ) {}

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
  readonly snapshot = () => this.#snapshot;

  /** Follows until the function that it returns is called. */
  start(): () => void {
    const stop = new AbortController();
    const online = () => this.reconnect();
    window.addEventListener('online', online);
    void this.#follow(stop.signal);
    return () => {
      window.removeEventListener('online', online);
      stop.abort();
      this.reconnect();
      this.#settle();
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Reconnects, because there may be new pods. */
  reconnect() {
    this.#connection.abort();
    this.#wake?.();
  }

  async #follow(stop: AbortSignal) {
    let failures = 0;
    let quiet = 0;
    while (!stop.aborted) {
      const connection = (this.#connection = new AbortController());
      const before = this.#total;
      try {
        const response = await request(this.#path(), {
          headers: { Accept: 'application/x-ndjson' },
          cache: 'no-store',
          signal: connection.signal,
        });
        failures = 0;
        this.#show({ phase: 'live', error: null });
        if (this.#total > 0) this.#listenAgain();
        if (response.body) for await (const said of told(response.body)) this.#hear(said);
      } catch (error) {
        if (stop.aborted) return;
        if (!connection.signal.aborted) {
          const final = error instanceof ApiError && !error.problem.retryable;
          this.#show({ phase: final ? 'refused' : 'interrupted', error });
          if (final) return;
          failures += 1;
        }
      }
      if (stop.aborted) return;
      this.#settle();
      // Ended logs without new lines are requested less and less often.
      quiet = this.#total === before ? quiet + 1 : 0;
      const patience = Math.min(Math.max(failures - 1, quiet), RETRY_MS.length - 1);
      if (!connection.signal.aborted) await this.#pause(RETRY_MS[patience]);
    }
  }

  #path() {
    const query = new URLSearchParams({ follow: 'true', tail: String(TAIL) });
    if (this.component !== undefined) query.set('component', this.component);
    return `/stores/${encodeURIComponent(this.id)}/logs?${query}`;
  }

  async #pause(delay: number | undefined) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  #listenAgain() {
    this.#again = [];
    this.#settleBy = Date.now() + PATIENT_MS;
    this.#settled = setTimeout(() => this.#settle(), PATIENT_MS);
  }

  #settle() {
    clearTimeout(this.#settled);
    const again = this.#again;
    this.#again = undefined;
    if (!again) return;
    this.#flush();
    this.#take(unheard(this.#snapshot.lines, again));
  }

  #hear(said: Told[]) {
    const lines = said.filter(isLine);
    if (this.#again && lines.length > 0) {
      this.#again.push(...lines);
      clearTimeout(this.#settled);
      const left = Math.max(0, this.#settleBy - Date.now());
      this.#settled = setTimeout(() => this.#settle(), Math.min(SETTLED_MS, left));
    } else this.#take(lines);
    // Errors are shown among the lines.
    for (const problem of said) if (!isLine(problem)) this.#push({ text: problem.detail });
  }

  #take(lines: LogLine[]) {
    for (const { text, ...from } of lines) this.#push({ text: clean(text), from });
  }

  #push(line: Omit<Line, 'key'>) {
    this.#pending.push({ ...line, key: (this.#total += 1) });
    this.#timer ??= setTimeout(() => this.#flush(), SHOWN_EVERY_MS);
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0) return;
    const lines = [...this.#snapshot.lines, ...this.#pending].slice(-KEPT);
    this.#pending = [];
    this.#show({ lines, total: this.#total });
  }

  #show(change: Partial<Snapshot>) {
    this.#snapshot = { ...this.#snapshot, ...change };
    this.#listeners.forEach((listener) => listener());
  }
}
