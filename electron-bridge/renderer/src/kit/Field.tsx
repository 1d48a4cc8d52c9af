/** Labelled fields. Label, hint and error are tied to the field, and an error never takes what was typed away. */
import {useState, type ReactNode, type Ref} from 'react';
import {
  FieldError,
  Input,
  Label,
  Text,
  TextArea as AriaTextArea,
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
} from 'react-aria-components';
import {useTexts} from '../i18n/index.js';
import {IconButton} from './Button.js';
import {Icon, type IconName} from './Icon.js';

export interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly isOptional?: boolean;
}

export interface TextFieldProps
  extends FieldProps, Omit<AriaTextFieldProps, 'children' | 'className' | 'style' | 'isInvalid' | 'validate'> {
  readonly placeholder?: string;
  readonly icon?: IconName;
  readonly inputRef?: Ref<HTMLInputElement>;
  /** Shows how many are left when few are. The sidecar counts, so nothing is cut off here. */
  readonly maxChars?: number;
  readonly isMono?: boolean;
  /** The label is read out but not shown. */
  readonly isLabelHidden?: boolean;
}

export function TextField({
  label,
  hint,
  error,
  isOptional,
  placeholder,
  icon,
  inputRef,
  maxChars,
  isMono,
  isLabelHidden,
  ...rest
}: TextFieldProps): ReactNode {
  return (
    <AriaTextField {...rest} className="field" isInvalid={error !== undefined} validationBehavior="aria">
      <FieldLabel label={label} isOptional={isOptional} isHidden={isLabelHidden} />
      <div className="input-frame">
        {icon !== undefined && <Icon name={icon} />}
        <Input ref={inputRef} className="input" placeholder={placeholder} data-mono={isMono || undefined} />
      </div>
      <FieldFoot hint={hint} error={error} used={rest.value?.length ?? 0} maxChars={maxChars} />
    </AriaTextField>
  );
}

/** For secrets: hidden unless the person wants to see what is typed, and kept out of password managers. */
export function SecretField({
  label,
  hint,
  error,
  isOptional,
  placeholder,
  inputRef,
  isMono = true,
  ...rest
}: TextFieldProps): ReactNode {
  const {t} = useTexts();
  const [isShown, setShown] = useState(false);
  return (
    <AriaTextField
      {...rest}
      className="field"
      isInvalid={error !== undefined}
      validationBehavior="aria"
      type={isShown ? 'text' : 'password'}
      autoComplete="off"
      spellCheck="false"
    >
      <FieldLabel label={label} isOptional={isOptional} />
      <div className="input-frame" data-has-button="">
        <Input ref={inputRef} className="input" placeholder={placeholder} data-mono={isMono || undefined} />
        <IconButton
          icon="eye"
          label={isShown ? t('action.hide') : t('action.show')}
          onPress={() => setShown(!isShown)}
        />
      </div>
      <FieldFoot hint={hint} error={error} used={0} />
    </AriaTextField>
  );
}

export function TextArea({
  label,
  hint,
  error,
  isOptional,
  placeholder,
  maxChars,
  isLabelHidden,
  rows = 3,
  areaRef,
  ...rest
}: Omit<TextFieldProps, 'inputRef' | 'icon' | 'isMono'> & {
  readonly rows?: number;
  readonly areaRef?: Ref<HTMLTextAreaElement>;
}): ReactNode {
  return (
    <AriaTextField {...rest} className="field" isInvalid={error !== undefined} validationBehavior="aria">
      <FieldLabel label={label} isOptional={isOptional} isHidden={isLabelHidden} />
      <AriaTextArea ref={areaRef} className="input area" rows={rows} placeholder={placeholder} />
      <FieldFoot hint={hint} error={error} used={rest.value?.length ?? 0} maxChars={maxChars} />
    </AriaTextField>
  );
}

export function FieldLabel({
  label,
  isOptional,
  isHidden,
}: {
  label: string;
  isOptional?: boolean | undefined;
  isHidden?: boolean | undefined;
}): ReactNode {
  const {t} = useTexts();
  return (
    <Label className={isHidden === true ? 'only-read-out' : 'label'}>
      {label}
      {isOptional === true && <span className="label-note"> {t('field.optional')}</span>}
    </Label>
  );
}

function FieldFoot({
  hint,
  error,
  used,
  maxChars,
}: {
  hint: ReactNode;
  error: string | undefined;
  used: number;
  maxChars?: number | undefined;
}): ReactNode {
  const {t} = useTexts();
  const left = maxChars === undefined ? null : maxChars - used;
  return (
    <>
      {error === undefined && hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="field-error">{error}</FieldError>
      {left !== null && maxChars !== undefined && left < maxChars / 10 && (
        <span className="counter" data-over={left < 0 || undefined}>
          {left >= 0 ? t('field.left', {count: left}) : t('field.over', {count: -left})}
        </span>
      )}
    </>
  );
}
