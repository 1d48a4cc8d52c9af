/** A connection string is pasted once and taken apart; it is not kept, because it has a password in it. */
import {useState, type ReactNode} from 'react';
import {useTexts} from '../../i18n/index.js';
import {Notice, SecretField} from '../../kit/index.js';
import {parseDsn, type Pasted} from './dsn.js';

export interface DsnFieldProps {
  readonly onFields: (fields: Pasted['fields']) => void;
}

export function DsnField({onFields}: DsnFieldProps): ReactNode {
  const {t} = useTexts();
  const [text, setText] = useState('');
  const [isBad, setBad] = useState(false);
  const [pasted, setPasted] = useState<Pasted | null>(null);
  const take = (given: string): void => {
    if (given.trim() === '') return;
    const found = parseDsn(given);
    setBad(found === null);
    setPasted(found);
    setText(found === null ? given : '');
    if (found !== null) onFields(found.fields);
  };
  return (
    <>
      <SecretField
        label={t('connection.dsn')}
        isOptional
        value={text}
        placeholder={t('connection.dsn.placeholder')}
        hint={t('connection.dsn.hint')}
        error={isBad ? t('connection.dsn.bad') : undefined}
        onChange={(given) => {
          setText(given);
          setBad(false);
        }}
        onBlur={() => take(text)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          take(text);
        }}
        onPaste={(event) => {
          event.preventDefault();
          take(event.clipboardData.getData('text'));
        }}
      />
      {pasted !== null && (
        <Notice kind="good" isAlert>
          <p>{t('connection.dsn.filled')}</p>
          {pasted.ignored.length > 0 && <p>{t('connection.dsn.ignored', {names: pasted.ignored.join(', ')})}</p>}
          {pasted.refused.length > 0 && <p>{t('connection.dsn.refused', {names: pasted.refused.join(', ')})}</p>}
        </Notice>
      )}
    </>
  );
}
