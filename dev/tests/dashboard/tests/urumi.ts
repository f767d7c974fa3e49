// A urumi-http of a test's own: started with any flags, killed and started again, and asked by its API.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const PROGRAM = process.env.URUMI_HTTP;
const KUBE = Boolean(process.env.URUMI_TEST_KUBECONFIG);

export interface Store {
  id: string;
  name: string;
  status: string;
  owner: string;
  reason?: string;
}

export class Urumi {
  #process: ChildProcess | undefined;
  #log = '';
  /** Its address, another one each time that it starts. */
  url = '';

  /** `command`: something else to do than to serve the API. */
  constructor(
    private readonly flags: string[],
    private readonly command?: 'dashboard',
  ) {}

  async start() {
    if (!PROGRAM) throw new Error('URUMI_HTTP is not set: dev/tests/dashboard/run sets it');
    const listen = ['--listen', '127.0.0.1:0', '--log-format', 'pretty'];
    const generous = ['--metrics-listen', 'off', '--rate-limit', '1000000', '--rate-burst', '1000000'];
    const server = [...generous, '--cluster', KUBE ? 'kube' : 'memory'];
    const args = this.command ? [this.command, ...listen] : [...listen, ...server];
    const child = spawn(PROGRAM, [...args, ...this.flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    child.stderr.on('data', (text) => (this.#log += text));
    const lines = createInterface({ input: child.stdout });
    this.url = await new Promise((resolve, reject) => {
      lines.on('line', (line) => {
        this.#log += `${line}\n`;
        const address = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
        if (address) resolve(address);
      });
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`urumi-http ended with ${code}:\n${this.#log}`)));
    });
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL') {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  get log(): string {
    return this.#log;
  }

  /** Asks the API; throws where the answer is no success. */
  async ask<T>(method: string, path: string, init: { body?: unknown; token?: string } = {}): Promise<T> {
    const response = await this.send(method, path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  async send(method: string, path: string, init: { body?: unknown; token?: string } = {}): Promise<Response> {
    const headers: Record<string, string> = init.token ? { Authorization: `Bearer ${init.token}` } : {};
    if (init.body !== undefined) headers['Content-Type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const body = init.body === undefined ? null : JSON.stringify(init.body);
    return fetch(this.url + path, { method, headers, body });
  }

  create(name: string, more: object = {}, token?: string): Promise<Store> {
    return this.ask('POST', '/stores', { body: { name, engine: 'medusa', ...more }, token });
  }

  change(id: string, update: object, token?: string): Promise<Store> {
    return this.ask('PATCH', `/stores/${id}`, { body: update, token });
  }

  stores(token?: string): Promise<Store[]> {
    return this.ask('GET', '/stores?limit=1000', { token });
  }

  async status(id: string, token?: string): Promise<string> {
    const response = await this.send('GET', `/stores/${id}`, { token });
    return response.ok ? ((await response.json()) as Store).status : String(response.status);
  }
}

/** Makes a token: what bearers send, and the entry for a file of tokens. */
export async function makeToken(subject: string, role: string, teams: string[] = []) {
  if (!PROGRAM) throw new Error('URUMI_HTTP is not set: dev/tests/dashboard/run sets it');
  const child = spawn(PROGRAM, ['token', '--subject', subject, '--role', role, ...teams.flatMap((team) => ['--team', team])]);
  let entry = '';
  let said = '';
  child.stdout.on('data', (text) => (entry += text));
  child.stderr.on('data', (text) => (said += text));
  await once(child, 'close');
  const token = /urumi_\w+/.exec(said)?.[0];
  if (!token) throw new Error(`no token was made: ${said}`);
  return { token, entry };
}
