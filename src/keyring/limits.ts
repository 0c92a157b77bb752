/** How many of what there may be. AWS's quotas by default. Source: contract kms-iam-audit.md 2.6, 2.13. */
import type { VaultLimits } from './material-vault.ts';

export interface KeyLimits extends VaultLimits {
  /** Customer keys in one region and account; managed keys do not count. */
  keysMax: number;
  aliasesPerKeyMax: number;
  tagsPerKeyMax: number;
  onDemandRotationsMax: number;
  policySizeBytesMax: number;
}

export const defaultLimits: KeyLimits = {
  keysMax: 100_000,
  aliasesPerKeyMax: 50,
  tagsPerKeyMax: 50,
  onDemandRotationsMax: 25,
  policySizeBytesMax: 32_768,
  materialsMax: 1_000,
  materialAgeMsMax: 5 * 60_000,
};
