/** Encryption in plain words, and what it does not protect from. */
import type {ReactNode} from 'react';
import {Select} from '../../forms/fields.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Notice, Segments} from '../../kit/index.js';
import {serviceOf, type ManagedService} from './authorities.js';
import {FilePath} from './FilePath.js';
import type {PartProps} from './LoginPart.js';
import {SSL_MODES, SYSTEM_ROOTS, isLoopback} from './values.js';

const EXAMPLE = navigator.userAgent.includes('Windows') ? 'C:\\certificates\\root.pem' : '/etc/ssl/team/root.pem';

export function EncryptionPart({form, values}: PartProps): ReactNode {
  const {t} = useTexts();
  const {host, sslmode, sslrootcert} = values;
  const verifies = sslmode === 'verify-ca' || sslmode === 'verify-full';
  const isSystem = sslrootcert === SYSTEM_ROOTS;
  const service = serviceOf(host);
  const setRoots = (path: string): void => form.setValue('sslrootcert', path, {shouldDirty: true});
  const check = (): void => {
    form.setValue('sslmode', 'verify-full', {shouldDirty: true});
    if (sslrootcert === '') setRoots(service?.roots === 'file' ? '' : SYSTEM_ROOTS);
  };
  return (
    <div className="form-part">
      <Select
        control={form.control}
        name="sslmode"
        label={t('connection.sslmode')}
        options={SSL_MODES.map((id) => ({
          id,
          label: t(`connection.sslmode.${id}`),
          text: t(`connection.sslmode.${id}.text`),
        }))}
      />
      {!isLoopback(host) && sslmode !== 'verify-full' && (
        <Warning
          mode={sslmode}
          host={host.trim()}
          action={
            <Button size="small" onPress={check}>
              {t('connection.warning.fix')}
            </Button>
          }
        />
      )}
      {verifies && (
        <>
          {sslmode === 'verify-full' && (
            <div className="field">
              <span className="label" aria-hidden="true">
                {t('connection.roots')}
              </span>
              <Segments
                label={t('connection.roots')}
                value={isSystem ? 'system' : 'file'}
                onChange={(chosen) => setRoots(chosen === 'system' ? SYSTEM_ROOTS : '')}
                options={[
                  {id: 'system', label: t('connection.roots.system'), icon: 'computer'},
                  {id: 'file', label: t('connection.roots.file'), icon: 'file'},
                ]}
              />
            </div>
          )}
          {service !== null && !(service.roots === SYSTEM_ROOTS && isSystem) && (
            <Service service={service} onUse={() => setRoots(SYSTEM_ROOTS)} />
          )}
          {(!isSystem || sslmode === 'verify-ca') && (
            <FilePath
              form={form}
              name="sslrootcert"
              label={t('connection.sslrootcert')}
              hint={t('connection.sslrootcert.hint', {example: EXAMPLE})}
              isRequired
            />
          )}
        </>
      )}
    </div>
  );
}

function Warning({mode, host, action}: {mode: string; host: string; action: ReactNode}): ReactNode {
  const {t} = useTexts();
  const kind = mode === 'verify-ca' ? 'name' : mode === 'require' ? 'posing' : 'open';
  return (
    <Notice kind="warning" title={t(`connection.warning.${kind}`)} actions={action}>
      {t(`connection.warning.${kind}.text`, {host})}
    </Notice>
  );
}

function Service({service, onUse}: {service: ManagedService; onUse: () => void}): ReactNode {
  const {t} = useTexts();
  const isKnown = service.roots === SYSTEM_ROOTS;
  return (
    <Notice
      kind="info"
      {...(isKnown
        ? {
            actions: (
              <Button size="small" onPress={onUse}>
                {t('connection.service.use')}
              </Button>
            ),
          }
        : {})}
    >
      {t(service.text, {service: service.name})}
    </Notice>
  );
}
