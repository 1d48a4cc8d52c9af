/** Every secret opened once, and what was found. */
import {useMutation} from '@tanstack/react-query';
import type {ReactNode} from 'react';
import {Refused, taken} from '../../client/failure.js';
import {usePlatform} from '../../data/situation.js';
import {explainCoded, explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Outcome, Section} from '../../kit/index.js';
import {ownerText} from '../keys/UsagePage.js';

export function VerifyPart(): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const verify = useMutation({
    networkMode: 'always',
    mutationFn: () => taken(client.GET('/api/v1/vault/verify')),
  });
  // A sidecar that cannot verify yet.
  if (verify.error instanceof Refused && verify.error.status === 404) return null;
  return (
    <Section title={t('vault.verify')} text={t('vault.verify.text')}>
      <div className="form-actions">
        {verify.isPending ? (
          <Outcome kind="busy">{t('vault.verify.running')}</Outcome>
        ) : verify.isError ? (
          <Outcome kind="bad">{explainError(verify.error, texts)}</Outcome>
        ) : verify.data === undefined ? (
          <Outcome kind="idle" />
        ) : verify.data.ok ? (
          <Outcome kind="good">
            {verify.data.checked === 0 ? t('vault.verify.none') : t('vault.verify.good', {count: verify.data.checked})}
          </Outcome>
        ) : (
          <Outcome kind="bad">{t('vault.verify.bad', {count: verify.data.findings.length})}</Outcome>
        )}
        <Button icon="check" isPending={verify.isPending} onPress={() => verify.mutate()}>
          {t('vault.verify.button')}
        </Button>
      </div>
      {verify.data !== undefined && verify.data.findings.length > 0 && (
        <div className="table-frame" tabIndex={0} role="region" aria-label={t('vault.finding')}>
          <table className="table">
            <thead>
              <tr>
                <th>{t('vault.finding.owner')}</th>
                <th>{t('vault.finding')}</th>
              </tr>
            </thead>
            <tbody>
              {verify.data.findings.map((finding) => (
                <tr key={[finding.kind, finding.owner_kind, finding.owner_id, finding.name, finding.message].join(' ')}>
                  <td>
                    {finding.owner_kind === null
                      ? t('vault.finding.vault')
                      : ownerText(finding.owner_kind, finding.owner_id ?? '', texts)}{' '}
                    <span className="key-text">{finding.name}</span>
                  </td>
                  <td>
                    {explainCoded(
                      `vault.finding.${finding.kind}`,
                      finding.message === '' ? t('vault.finding.other', {kind: finding.kind}) : finding.message,
                      texts,
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}
