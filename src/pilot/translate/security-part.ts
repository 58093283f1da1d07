import type { SecurityPart } from './security.ts';

export const noSecurityPart: SecurityPart<never> = { filters: [], needs: [], origins: [], diagnostics: [] };
