// Explains why an HTTP request failed, without secrets.

/** @type {Record<string, string>} */
const causes = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'its name cannot be resolved',
  EAI_AGAIN: 'its name cannot be resolved',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the host',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_SOCKET: 'connection closed',
};

/**
 * The end of a sentence whose subject is the server: "the API …".
 * @param {unknown} error thrown by fetch, or by reading the answer
 * @returns {string}
 */
export function trouble(error) {
  if (!(error instanceof Error)) return `failed: ${String(error)}`;
  if (error.name === 'TimeoutError') return 'does not answer in time';
  if (error.name === 'SyntaxError') return 'gives an answer that is not JSON';
  // The message of fetch is only "fetch failed"; the cause has the reason.
  const cause = /** @type {Error & { code?: string }} */ (error.cause instanceof Error ? error.cause : error);
  return `cannot be reached: ${causes[cause.code ?? ''] ?? cause.code ?? cause.message}`;
}
