// The API's messages for each input.
import { createContext, use } from 'react';

export const MessagesContext = createContext<ReadonlyMap<string, string>>(new Map());

export function useMessage(control: string): string | undefined {
  return use(MessagesContext).get(control);
}

/** The values of inputs, with the paths that the API uses for them. */
export interface Scope {
  prefix: string;
  values: Readonly<Record<string, unknown>>;
  onChange(path: string, value: unknown): void;
  /** The value of an unchanged option, if the API has returned it. */
  resolved?(path: string): unknown;
}
