/** The desktops of the vault, as the sidecar lists them. */
import type {UseQueryResult} from '@tanstack/react-query';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {usePlatform} from '../../data/situation.js';
import {useRead} from '../keys/queries.js';

/** Name of the readings; also the resource of the events that tell of them. */
export const DEVICES = 'vault_device';

export type Device = components['schemas']['DeviceDocument'];

export function useDevices(): UseQueryResult<readonly Device[]> {
  const {client} = usePlatform();
  return useRead([DEVICES, 'list'], async () => (await taken(client.GET('/api/v1/vault/devices'))).items);
}
