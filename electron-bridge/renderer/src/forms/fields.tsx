/** The kit's fields, tied to a form. */
import type {ReactNode} from 'react';
import {useController, type Control, type FieldPath, type FieldValues, type RegisterOptions} from 'react-hook-form';
import {useTexts} from '../i18n/index.js';
import {
  SecretField as KitSecretField,
  TextArea as KitTextArea,
  TextField as KitTextField,
  type TextFieldProps,
} from '../kit/Field.js';
import {ComboBox, Select as KitSelect, type SelectProps} from '../kit/Choice.js';

interface Tied<T extends FieldValues> {
  readonly control: Control<T>;
  readonly name: FieldPath<T>;
  /** Must not stay blank. The sidecar decides about everything else. */
  readonly isRequired?: boolean;
}

type Shown<P> = Omit<P, 'value' | 'onChange' | 'onBlur' | 'error' | 'name' | 'isRequired' | 'inputRef' | 'areaRef'>;

interface Binding {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onBlur: () => void;
  readonly error: string | undefined;
  readonly ref: (element: HTMLElement | null) => void;
}

function useBinding<T extends FieldValues>({control, name, isRequired = false}: Tied<T>): Binding {
  const {t} = useTexts();
  const rules: RegisterOptions<T> = isRequired
    ? {validate: (value: unknown) => (typeof value === 'string' && value.trim() !== '') || t('field.required')}
    : {};
  const {field, fieldState} = useController({control, name, rules: rules});
  return {
    value: field.value === null || field.value === undefined ? '' : String(field.value),
    onChange: field.onChange,
    onBlur: field.onBlur,
    error: fieldState.error?.message,
    ref: field.ref,
  };
}

export function TextField<T extends FieldValues>({
  control,
  name,
  isRequired,
  ...rest
}: Tied<T> & Shown<TextFieldProps>): ReactNode {
  const {ref, ...binding} = useBinding({control, name, isRequired});
  return <KitTextField {...rest} {...binding} inputRef={ref} isRequired={isRequired} />;
}

export function SecretField<T extends FieldValues>({
  control,
  name,
  isRequired,
  ...rest
}: Tied<T> & Shown<TextFieldProps>): ReactNode {
  const {ref, ...binding} = useBinding({control, name, isRequired});
  return <KitSecretField {...rest} {...binding} inputRef={ref} isRequired={isRequired} />;
}

export function TextArea<T extends FieldValues>({
  control,
  name,
  isRequired,
  ...rest
}: Tied<T> & Shown<TextFieldProps & {rows?: number}>): ReactNode {
  const {ref, ...binding} = useBinding({control, name, isRequired});
  return <KitTextArea {...rest} {...binding} areaRef={ref} isRequired={isRequired} />;
}

export function Select<T extends FieldValues, K extends string>({
  control,
  name,
  isRequired,
  ...rest
}: Tied<T> & Shown<SelectProps<K>>): ReactNode {
  const {value, onChange, error} = useBinding({control, name, isRequired});
  return <KitSelect {...rest} value={value === '' ? null : (value as K)} onChange={onChange} error={error} />;
}

export function Finder<T extends FieldValues, K extends string>({
  control,
  name,
  isRequired,
  ...rest
}: Tied<T> & Shown<SelectProps<K>>): ReactNode {
  const {value, onChange, error} = useBinding({control, name, isRequired});
  return <ComboBox {...rest} value={value === '' ? null : (value as K)} onChange={onChange} error={error} />;
}
