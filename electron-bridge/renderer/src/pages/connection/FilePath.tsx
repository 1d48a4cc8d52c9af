/** The path of a file that the sidecar reads: it is on this computer, and the page never sees what is in it. */
import type {ReactNode} from 'react';
import {useController, type UseFormReturn} from 'react-hook-form';
import {useTexts} from '../../i18n/index.js';
import {TextField} from '../../kit/index.js';
import {isWholePath} from './paths.js';
import type {ConnectionValues} from './values.js';

export interface FilePathProps {
  readonly form: UseFormReturn<ConnectionValues>;
  readonly name: 'sslrootcert' | 'sslcert' | 'sslkey';
  readonly label: string;
  readonly hint?: string;
  readonly isRequired?: boolean;
}

export function FilePath({form, name, label, hint, isRequired = false}: FilePathProps): ReactNode {
  const {t} = useTexts();
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
  return (
    <TextField
      label={label}
      hint={hint}
      isMono
      isOptional={!isRequired}
      isRequired={isRequired}
      value={field.value}
      onChange={field.onChange}
      onBlur={() => {
        field.onBlur();
        if (field.value.trim() !== '') void form.trigger(name);
      }}
      inputRef={field.ref}
      error={fieldState.error?.message}
      spellCheck="false"
    />
  );
}
