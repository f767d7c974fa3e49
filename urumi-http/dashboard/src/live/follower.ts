// Keeps the stores up to date: by /watch, or by polling while /watch fails, until /watch works again.
import { ApiError } from '../api/problem';
import type { Store } from '../api/types';
import type { Frame } from './frames';

/** `connecting` only before the first answer; `offline` while neither /watch nor polling works. */
export type Liveness = 'connecting' | 'live' | 'polling' | 'offline';

/** The interval of polling while there is no watch. */
export const POLL_MS = 5_000;
/** The time to wait for a watch's first event before the stores are polled, because a proxy may buffer it. */
export const FIRST_MS = 3_000;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000];

export interface Ways {
  watch(lastEventId: string | null, signal: AbortSignal): AsyncIterable<Frame>;
  poll(signal: AbortSignal): Promise<Store[]>;
}

export interface Listener {
  onLiveness(liveness: Liveness): void;
  /** All stores. */
  onListed(stores: Store[]): void;
  onChanged(store: Store): void;
  onGone(id: string): void;
  /** The caller is not signed in, or no longer. */
  onRefused(): void;
}

export class Follower {
  #liveness: Liveness = 'connecting';
  #lastEventId: string | null = null;
  #failures = 0;
  #stop = new AbortController();
  #retry: (() => void) | undefined;
  #polling: AbortController | undefined;
  #connection: AbortController | undefined;

  constructor(
    private readonly ways: Ways,
    private readonly listener: Listener,
  ) {}

  start() {
    void this.#follow();
  }

  stop() {
    this.#stop.abort();
    this.#connection?.abort();
    this.#polling?.abort();
    this.#retry?.();
  }

  /** The network is back, or the computer woke up: an open connection may be dead without a sign. */
  refresh() {
    this.#failures = 0;
    this.#connection?.abort();
    this.#retry?.();
  }

  async #follow() {
    while (!this.#stop.signal.aborted) {
      this.#connection = new AbortController();
      const slow = setTimeout(() => this.#startPolling(), FIRST_MS);
      try {
        for await (const frame of this.ways.watch(this.#lastEventId, this.#connection.signal)) {
          if (this.#stop.signal.aborted) return;
          clearTimeout(slow);
          this.#connected();
          this.#take(frame);
        }
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (error instanceof ApiError && error.status === 401) {
          this.listener.onRefused();
          return;
        }
      } finally {
        clearTimeout(slow);
      }
      if (this.#stop.signal.aborted) return;
      await this.#pause();
    }
  }

  #connected() {
    this.#failures = 0;
    this.#polling?.abort();
    this.#polling = undefined;
    this.#is('live');
  }

  async #pause() {
    // A restarting server closes its connections. The first attempt to reconnect is immediate and needs no poll.
    const delay = this.#failures === 0 ? 0 : (RETRY_MS[this.#failures - 1] ?? RETRY_MS.at(-1));
    this.#failures += 1;
    if (this.#failures > 1) this.#startPolling();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#retry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#retry = undefined;
  }

  #startPolling() {
    if (this.#polling) return;
    const polling = (this.#polling = new AbortController());
    const round = async () => {
      if (polling.signal.aborted) return;
      try {
        const stores = await this.ways.poll(polling.signal);
        if (polling.signal.aborted) return;
        this.#is('polling');
        this.listener.onListed(stores);
      } catch {
        if (polling.signal.aborted) return;
        this.#is('offline');
      }
      const timer = setTimeout(() => void round(), POLL_MS);
      polling.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    void round();
  }

  #take({ id, event, data }: Frame) {
    if (id !== undefined) this.#lastEventId = id;
    if (event === 'heartbeat') return;
    const value: unknown = JSON.parse(data);
    if (event === 'listed') this.listener.onListed(value as Store[]);
    else if (event === 'changed') this.listener.onChanged(value as Store);
    else if (event === 'gone') this.listener.onGone((value as { id: string }).id);
  }

  #is(liveness: Liveness) {
    if (liveness === this.#liveness) return;
    this.#liveness = liveness;
    this.listener.onLiveness(liveness);
  }
}
