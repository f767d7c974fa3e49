// The API's types, generated from its description.
import type { components } from './schema';

type Schemas = components['schemas'];
export type Condition = Schemas['Condition'];
export type CreateStore = Schemas['CreateStore'];
export type Credentials = Schemas['Credentials'];
export type EngineInfo = Schemas['EngineInfo'];
export type FieldProblem = Schemas['FieldProblem'];
export type LogLine = Schemas['LogLine'];
export type OptionChange = Schemas['OptionChange'];
export type Preview = Schemas['Preview'];
export type Principal = Schemas['Principal'];
export type Problem = Schemas['Problem'];
export type Revision = Schemas['Revision'];
export type SmokeReport = Schemas['SmokeReport'];
export type Store = Schemas['Store'];
export type TimelineEntry = Schemas['TimelineEntry'];
export type UpdatePreview = Schemas['UpdatePreview'];
export type UpdateStore = Schemas['UpdateStore'];

// A newer server may have more values than these.
export const STATUSES = ['provisioning', 'ready', 'degraded', 'failed', 'deleting'] as const;
export type StoreStatus = (typeof STATUSES)[number];
export const isKnown = (status: string): status is StoreStatus => STATUSES.some((one) => one === status);

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];
