/** The path of a file that the sidecar reads: it is on this computer, and the page never sees what is in it. */
import {useQuery} from '@tanstack/react-query';
import {useRef, useState, type ReactNode} from 'react';
import {useController, type UseFormReturn} from 'react-hook-form';
import {taken} from '../../client/failure.js';
import {usePlatform} from '../../data/situation.js';
import {explainCoded} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Outcome, TextField, dateText} from '../../kit/index.js';
import {isWholePath} from './paths.js';
import type {ConnectionValues} from './values.js';

type FileName = 'sslrootcert' | 'sslcert' | 'sslkey';

export interface FilePathProps {
  readonly form: UseFormReturn<ConnectionValues>;
  readonly name: FileName;
  readonly label: string;
  readonly hint?: string;
  readonly isRequired?: boolean;
}

export function FilePath({form, name, label, hint, isRequired = false}: FilePathProps): ReactNode {
  const {t} = useTexts();
  const {pathOf} = usePlatform();
  const {field, fieldState} = useController({
    control: form.control,
    name,
    rules: {
      validate(value: string) {
        if (value.trim() === '') return isRequired ? t('field.required') : true;
        return isWholePath(value) || t('connection.file.absolute');
      },
    },
  });
  const [isTyping, setTyping] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  const path = field.value.trim();
  return (
    <div className="file-path">
      <div className="file-path-row">
        <TextField
          label={label}
          hint={hint}
          isMono
          isOptional={!isRequired}
          isRequired={isRequired}
          value={field.value}
          onChange={(value) => {
            setTyping(true);
            field.onChange(value);
          }}
          onBlur={() => {
            setTyping(false);
            field.onBlur();
            if (path !== '') void form.trigger(name);
          }}
          inputRef={field.ref}
          error={fieldState.error?.message}
          spellCheck="false"
        />
        {pathOf !== null && (
          <>
            <Button icon="file" onPress={() => chooser.current?.click()}>
              {t('connection.file.choose')}
            </Button>
            <input
              ref={chooser}
              type="file"
              hidden
              data-for={name}
              onChange={({target}) => {
                const [file] = target.files ?? [];
                if (file !== undefined) form.setValue(name, pathOf(file), {shouldDirty: true, shouldValidate: true});
                // The same file can be chosen again.
                target.value = '';
              }}
            />
          </>
        )}
      </div>
      {!isTyping && isWholePath(path) && <FileVerdict form={form} name={name} path={path} />}
    </div>
  );
}

/** Whether the file serves: looked at by the sidecar, as soon as it is named. */
function FileVerdict({form, name, path}: {form: FilePathProps['form']; name: FileName; path: string}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  // Key and certificate belong together.
  const certificate = name === 'sslkey' ? form.getValues('sslcert').trim() : '';
  const {data} = useQuery({
    queryKey: ['certificates', name, path, certificate],
    meta: {isOfThisComputer: true},
    networkMode: 'always',
    staleTime: 0,
    gcTime: 0,
    retry: false,
    async queryFn() {
      const files = {...(certificate === '' ? {} : {sslcert: certificate}), [name]: path};
      return (await taken(client.POST('/api/v1/settings/check-certificates', {body: files})))[name];
    },
  });
  if (data === null || data === undefined) return null;
  const {ok, code, message, subject, expires_at: end} = data;
  const sentence = explainCoded(`connection.verdict.${code}`, message, texts);
  const facts =
    subject === null || end === null ? '' : t('connection.verdict.facts', {subject, date: dateText(end, texts)});
  return (
    <Outcome kind={ok ? 'good' : 'bad'}>
      {sentence} {facts}
    </Outcome>
  );
}
