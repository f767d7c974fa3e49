// The state of a store's page that is part of its address, so that a link shows the same.

// A newer server may have more.
export const SOURCES = ['urumi', 'kubernetes', 'audit'] as const;
export type Source = (typeof SOURCES)[number];
export const isSource = (text: string): text is Source => SOURCES.some((one) => one === text);

type Raw = Record<string, unknown>;

/** The router reads `?q=12` as a number. */
const text = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' ? String(value) || undefined : undefined;
const flag = (value: unknown) => (value === true ? true : undefined);

export interface EventsSearch {
  /** Shows only these; all if empty. */
  source?: Source[] | undefined;
  warnings?: true | undefined;
}

export function parseEventsSearch(raw: Raw): EventsSearch {
  const given = raw.source;
  const source = Array.isArray(given) ? SOURCES.filter((one) => given.includes(one)) : [];
  return { source: source.length > 0 ? source : undefined, warnings: flag(raw.warnings) };
}

export interface LogsSearch {
  component?: string | undefined;
  q?: string | undefined;
  wrap?: true | undefined;
}

export function parseLogsSearch(raw: Raw): LogsSearch {
  return { component: text(raw.component), q: text(raw.q), wrap: flag(raw.wrap) };
}

export interface ObjectsSearch {
  /** `Deployment/medusa-api`. */
  object?: string | undefined;
  as?: 'json' | undefined;
}

export function parseObjectsSearch(raw: Raw): ObjectsSearch {
  return { object: text(raw.object), as: raw.as === 'json' ? 'json' : undefined };
}
