// The API's messages for each input.
import { createContext, use } from 'react';

type Messages = ReadonlyMap<string, string>;

export const MessagesContext = createContext<{ errors: Messages; warnings: Messages }>({
  errors: new Map(),
  warnings: new Map(),
});

export function useMessage(control: string): string | undefined {
  return use(MessagesContext).errors.get(control);
}

/** A warning about a value that the API accepts. */
export function useWarning(control: string): string | undefined {
  return use(MessagesContext).warnings.get(control);
}

/** The values of inputs, with the paths that the API uses for them. */
export interface Scope {
  prefix: string;
  values: Readonly<Record<string, unknown>>;
  onChange(path: string, value: unknown): void;
  /** The value of an unchanged option, if the API has returned it. */
  resolved?(path: string): unknown;
}
