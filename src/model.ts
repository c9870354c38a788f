/** The names of the model. Every type here is generated from `openapi.yaml`. */
import type { components } from './generated/openapi.js';

type Schemas = components['schemas'];

export type AccountHealth = Schemas['AccountHealth'];
export type AuditRecord = Schemas['AuditRecord'];
export type BatchItem = Schemas['BatchItem'];
export type BatchResult = Schemas['BatchResult'];
export type BatchSizes = Schemas['BatchSizes'];
export type BudgetLeft = NonNullable<Schemas['BudgetLeft']>;
export type Capabilities = Schemas['Capabilities'];
export type Cluster = Schemas['Cluster'];
export type ClusterHealth = Schemas['ClusterHealth'];
export type ClusterList = Schemas['ClusterList'];
export type ClusterState = Schemas['ClusterState'];
export type ErrorCode = Schemas['ErrorCode'];
export type FieldError = Schemas['FieldError'];
export type Incomplete = NonNullable<Schemas['Incomplete']>;
export type ItemResult = Schemas['ItemResult'];
export type ItemStatus = Schemas['ItemStatus'];
export type Operation = Schemas['Operation'];
export type OperationHead = Schemas['OperationHead'];
export type OperationKind = Schemas['OperationKind'];
export type OperationState = Schemas['OperationState'];
export type PasswordRule = Schemas['PasswordRule'];
export type Problem = Schemas['Problem'];
export type ResultSummary = Schemas['ResultSummary'];
export type Role = Schemas['Role'];
export type User = Schemas['User'];
export type UserCreate = Schemas['UserCreate'];
export type UserFeature = Schemas['UserFeature'];
export type UsernameRule = Schemas['UsernameRule'];
export type UserPage = Schemas['UserPage'];
export type Vendor = Schemas['Vendor'];
export type VendorError = Schemas['VendorError'];
