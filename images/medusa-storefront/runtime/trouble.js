// Says in plain words why an HTTP request failed, without anything secret in it.

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
 * The rest of a sentence that begins with what was asked: "the API …".
 * @param {unknown} error what fetch or reading its answer threw
 * @returns {string}
 */
export function trouble(error) {
  if (!(error instanceof Error)) return `failed: ${String(error)}`;
  if (error.name === 'TimeoutError') return 'does not answer in time';
  if (error.name === 'SyntaxError') return 'gives an answer that is not JSON';
  // fetch says "fetch failed" and keeps what happened as the cause.
  const cause = /** @type {Error & { code?: string }} */ (error.cause instanceof Error ? error.cause : error);
  return `cannot be reached: ${causes[cause.code ?? ''] ?? cause.code ?? cause.message}`;
}
