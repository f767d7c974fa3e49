// An identity provider of a test's own: authorization code with PKCE, whose user agrees to everything at once.
import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class IdentityProvider {
  #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  #codes = new Map<string, { challenge: string; nonce?: string; client: string; redirect: string }>();
  #server = createServer((asked, response) => void this.#answer(asked, response).catch((error) => this.refusals.push(String(error))));
  /** What was asked of it that must not be: the test expects none. */
  readonly refusals: string[] = [];
  user = { sub: 'anna', groups: ['shops'] };

  async start() {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(asked: IncomingMessage, response: ServerResponse) {
    const url = new URL(asked.url ?? '/', this.issuer);
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Headers', '*');
    const json = (value: unknown, status = 200) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    };
    if (asked.method === 'OPTIONS') return json({});
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json({
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          jwks_uri: `${this.issuer}/keys`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          code_challenge_methods_supported: ['S256'],
        });
      case '/keys':
        return json({ keys: [{ ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }] });
      case '/authorize': {
        const { code_challenge: challenge, code_challenge_method: method, client_id: client, redirect_uri: redirect, state, nonce, scope, response_type: type } =
          Object.fromEntries(url.searchParams);
        if (method !== 'S256' || !challenge || !client || !redirect || !state || type !== 'code' || !scope?.split(' ').includes('openid')) {
          this.refusals.push(`authorize: ${url.search}`);
          return json({ error: 'invalid_request' }, 400);
        }
        const code = randomUUID();
        this.#codes.set(code, { challenge, client, redirect, ...(nonce && { nonce }) });
        const back = new URL(redirect);
        back.searchParams.set('code', code);
        back.searchParams.set('state', state);
        return response.writeHead(302, { Location: back.href }).end();
      }
      case '/token': {
        let text = '';
        for await (const chunk of asked) text += chunk;
        const form = Object.fromEntries(new URLSearchParams(text));
        const given = this.#codes.get(form.code ?? '');
        this.#codes.delete(form.code ?? '');
        const proof = createHash('sha256').update(form.code_verifier ?? '').digest('base64url');
        if (!given || proof !== given.challenge || form.redirect_uri !== given.redirect || form.client_id !== given.client || form.client_secret) {
          this.refusals.push(`token: ${text}`);
          return json({ error: 'invalid_grant' }, 400);
        }
        return json({ token_type: 'Bearer', access_token: randomUUID(), refresh_token: randomUUID(), expires_in: 3600, id_token: this.#token(given) });
      }
      default:
        return json({ error: 'not found' }, 404);
    }
  }

  #token({ client, nonce }: { client: string; nonce?: string }): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.issuer, aud: client, iat: now, exp: now + 3600, ...(nonce && { nonce }), ...this.user };
    const signed = `${base64({ alg: 'RS256', kid: 'one', typ: 'JWT' })}.${base64(claims)}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(this.#keys.privateKey, 'base64url')}`;
  }
}
