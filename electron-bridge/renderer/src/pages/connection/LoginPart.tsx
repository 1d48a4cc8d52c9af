/** How the person logs in. */
import type {ReactNode} from 'react';
import type {UseFormReturn} from 'react-hook-form';
import type {SavedConnection} from '../../client/platform.js';
import {SecretField, Select, TextField} from '../../forms/fields.js';
import {useTexts} from '../../i18n/index.js';
import {Notice} from '../../kit/index.js';
import {FilePath} from './FilePath.js';
import {AUTH_KINDS, mayKeepPassword, type ConnectionValues} from './values.js';

export interface PartProps {
  readonly form: UseFormReturn<ConnectionValues>;
  readonly values: ConnectionValues;
  readonly saved: SavedConnection | null;
}

export function LoginPart({form, values, saved}: PartProps): ReactNode {
  const {t} = useTexts();
  const {control} = form;
  const isKept = mayKeepPassword(values, saved);
  const wasSaved = saved?.has_password === true;
  return (
    <div className="form-part">
      <div className="form-row">
        <Select
          control={control}
          name="auth"
          label={t('connection.auth')}
          options={AUTH_KINDS.map((id) => ({
            id,
            label: t(`connection.auth.${id}`),
            text: t(`connection.auth.${id}.text`),
          }))}
        />
        {values.auth === 'password' && (
          <SecretField
            control={control}
            name="password"
            label={t('connection.password')}
            isRequired={!isKept}
            {...(isKept
              ? {placeholder: t('connection.password.saved'), hint: t('connection.password.saved.hint')}
              : {})}
            {...(wasSaved && !isKept ? {hint: t('connection.password.again')} : {})}
          />
        )}
      </div>
      {values.auth === 'kerberos' && (
        <div className="form-row">
          <TextField
            control={control}
            name="krbsrvname"
            label={t('connection.krbsrvname')}
            hint={t('connection.krbsrvname.hint')}
            isOptional
          />
          <Select
            control={control}
            name="gssencmode"
            label={t('connection.gssencmode')}
            placeholder={t('connection.gssencmode.default')}
            options={[
              {id: 'disable', label: t('connection.gssencmode.default')},
              {id: 'prefer', label: t('connection.gssencmode.prefer')},
              {id: 'require', label: t('connection.gssencmode.require')},
            ]}
          />
        </div>
      )}
      {values.auth === 'certificate' && (
        <>
          <FilePath form={form} name="sslcert" label={t('connection.sslcert')} isRequired />
          <FilePath
            form={form}
            name="sslkey"
            label={t('connection.sslkey')}
            hint={t('connection.sslkey.hint')}
            isRequired
          />
        </>
      )}
      {values.auth === 'none' && <Notice kind="warning">{t('connection.auth.none.warning')}</Notice>}
    </div>
  );
}
