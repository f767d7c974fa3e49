// What the API says of each input.
import { createContext, use } from 'react';

export const MessagesContext = createContext<ReadonlyMap<string, string>>(new Map());

export function useMessage(control: string): string | undefined {
  return use(MessagesContext).get(control);
}

/** The values that inputs are about, and how the API calls the place they are at. */
export interface Scope {
  prefix: string;
  values: Readonly<Record<string, unknown>>;
  onChange(path: string, value: unknown): void;
  /** What an option is if it is left as it is, as far as the API has said so. */
  resolved?(path: string): unknown;
}
