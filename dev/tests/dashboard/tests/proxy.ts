// What is between a browser and its server: a proxy that passes everything on until it is told to do harm.
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class Proxy {
  #server: Server;
  #open = new Set<{ path: string; response: ServerResponse }>();
  #blocked: string[] = [];
  #losses: ((method: string, path: string) => boolean)[] = [];
  /** Everything that was asked for: `METHOD /path?query`. */
  readonly seen: string[] = [];

  constructor(private readonly target: () => string) {
    this.#server = createServer((asked, response) => this.#pass(asked, response));
  }

  async start() {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends what is open under a path, as a network does that goes away. */
  cut(prefix: string) {
    for (const { path, response } of this.#open) if (path.startsWith(prefix)) response.destroy();
  }

  /** Lets nothing through to a path, and cuts what is open. */
  block(prefix: string) {
    this.#blocked.push(prefix);
    this.cut(prefix);
  }

  unblock() {
    this.#blocked = [];
  }

  /** Loses the next answer to such a request, after the server has given it. */
  loseAnswer(method: string, prefix: string) {
    this.#losses.push((asked, path) => asked === method && path.startsWith(prefix));
  }

  #pass(asked: IncomingMessage, response: ServerResponse) {
    const { method = 'GET', url: path = '/', headers } = asked;
    this.seen.push(`${method} ${path}`);
    if (this.#blocked.some((prefix) => path.startsWith(prefix))) {
      asked.socket.destroy();
      return;
    }
    const open = { path, response };
    this.#open.add(open);
    response.on('close', () => this.#open.delete(open));
    const loss = this.#losses.findIndex((fits) => fits(method, path));
    if (loss >= 0) this.#losses.splice(loss, 1);

    const onward = request(this.target() + path, { method, headers }, (answer) => {
      if (loss >= 0) {
        answer.resume().on('end', () => asked.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      // A stream's beginning is passed on before it has said anything.
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    asked.pipe(onward);
  }
}
