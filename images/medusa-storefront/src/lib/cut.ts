// Cuts texts to a length, and marks the cut.

/** At most `limit` UTF-16 units of a text; never splits a character. */
export function cut(text: string, limit: number): string {
  return text.length > limit
    ? `${text
        .slice(0, limit - 1)
        .replace(/[\ud800-\udbff]$/, '')
        .trimEnd()}…`
    : text;
}
