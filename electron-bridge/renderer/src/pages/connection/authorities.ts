/** Managed services, and who vouches for their servers: known by the host's name. */
import type {MessageName} from '../../i18n/index.js';
import {SYSTEM_ROOTS} from './values.js';

export interface ManagedService {
  readonly name: string;
  /** `system` where this computer trusts the authority already; `file` where one has to be fetched. */
  readonly roots: typeof SYSTEM_ROOTS | 'file';
  /** Where to get the authority's certificate. */
  readonly text: Extract<MessageName, `connection.service.${'system' | 'rds' | 'dashboard'}`>;
}

const SERVICES: readonly (readonly [hosts: RegExp, service: ManagedService])[] = [
  [/\.rds\.amazonaws\.com(\.cn)?$/i, {name: 'Amazon RDS', roots: 'file', text: 'connection.service.rds'}],
  [
    /\.postgres(\.database)?\.azure\.com$|\.postgres\.database\.windows\.net$/i,
    {name: 'Azure Database for PostgreSQL', roots: SYSTEM_ROOTS, text: 'connection.service.system'},
  ],
  [/\.neon\.(tech|build)$/i, {name: 'Neon', roots: SYSTEM_ROOTS, text: 'connection.service.system'}],
  [/\.supabase\.(com|co)$/i, {name: 'Supabase', roots: 'file', text: 'connection.service.dashboard'}],
  [/\.ondigitalocean\.com$/i, {name: 'DigitalOcean', roots: 'file', text: 'connection.service.dashboard'}],
  [/\.aivencloud\.com$/i, {name: 'Aiven', roots: 'file', text: 'connection.service.dashboard'}],
  [
    /\.(tsdb\.cloud\.timescale|timescaledb\.io)/i,
    {name: 'Timescale', roots: 'file', text: 'connection.service.dashboard'},
  ],
  [/\.sql\.goog$/i, {name: 'Google Cloud SQL', roots: 'file', text: 'connection.service.dashboard'}],
];

/** The managed service that a host belongs to; null where it is nobody known. */
export function serviceOf(host: string): ManagedService | null {
  const first = host.split(',')[0]?.trim() ?? '';
  return SERVICES.find(([hosts]) => hosts.test(first))?.[1] ?? null;
}
