/** Choosing: one of a few, one of many, several, yes or no. */
import type {ReactNode} from 'react';
import {
  Button,
  CheckboxButton,
  CheckboxField,
  ComboBox as AriaComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  RadioButton,
  RadioField,
  RadioGroup,
  Select as AriaSelect,
  SelectValue,
  SwitchButton,
  SwitchField,
  Text,
} from 'react-aria-components';
import {useTexts} from '../i18n/index.js';
import {FieldLabel, type FieldProps} from './Field.js';
import {Icon, type IconName} from './Icon.js';

export interface Option<K extends string = string> {
  readonly id: K;
  readonly label: string;
  /** Stands before the label. */
  readonly mark?: ReactNode;
  /** A line of explanation below the label. */
  readonly text?: string;
  /** Stands below the text of a card. */
  readonly note?: ReactNode;
}

export interface SelectProps<K extends string> extends FieldProps {
  readonly options: readonly Option<K>[];
  readonly value: K | null;
  readonly onChange: (value: K) => void;
  readonly isDisabled?: boolean;
  readonly isLabelHidden?: boolean;
  /** Without a frame, as part of a line of text. */
  readonly isQuiet?: boolean;
  readonly placeholder?: string;
}

export function Select<K extends string>({
  label,
  hint,
  error,
  isOptional,
  options,
  value,
  onChange,
  isDisabled,
  isLabelHidden,
  isQuiet,
  placeholder,
}: SelectProps<K>): ReactNode {
  const {t} = useTexts();
  return (
    <AriaSelect
      className="field"
      value={value}
      onChange={(key) => key !== null && onChange(key as K)}
      isDisabled={isDisabled}
      isInvalid={error !== undefined}
      validationBehavior="aria"
      placeholder={placeholder ?? t('field.choose')}
    >
      <FieldLabel label={label} isOptional={isOptional} isHidden={isLabelHidden} />
      <Button className="input select" data-quiet={isQuiet || undefined}>
        <SelectValue className="select-value" />
        <Icon name="down" />
      </Button>
      {error === undefined && hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="field-error">{error}</FieldError>
      <Popover className="popover" data-overlay="" offset={4}>
        <ListBox className="options" items={options}>
          {(option) => <OptionItem option={option} />}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

function OptionItem({option}: {option: Option}): ReactNode {
  return (
    <ListBoxItem id={option.id} textValue={option.label} className="option">
      {option.mark}
      <span className="option-words">
        <Text slot="label" className="option-label">
          {option.label}
        </Text>
        {option.text !== undefined && (
          <Text slot="description" className="option-text">
            {option.text}
          </Text>
        )}
      </span>
      <Icon name="check" />
    </ListBoxItem>
  );
}

/** One of many, found by typing. */
export function ComboBox<K extends string>({
  label,
  hint,
  error,
  isOptional,
  options,
  value,
  onChange,
  isLabelHidden,
  placeholder,
}: SelectProps<K>): ReactNode {
  const {t} = useTexts();
  return (
    <AriaComboBox
      className="field"
      defaultItems={options}
      value={value}
      onChange={(key) => key !== null && onChange(key as K)}
      isInvalid={error !== undefined}
      validationBehavior="aria"
      menuTrigger="focus"
      allowsEmptyCollection
    >
      <FieldLabel label={label} isOptional={isOptional} isHidden={isLabelHidden} />
      <div className="input-frame" data-has-button="">
        <Input className="input" placeholder={placeholder} />
        <Button className="button icon-button" data-look="quiet">
          <Icon name="down" />
        </Button>
      </div>
      {error === undefined && hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="field-error">{error}</FieldError>
      <Popover className="popover" data-overlay="" offset={4}>
        <ListBox<Option<K>> className="options" renderEmptyState={() => <p className="hint">{t('field.noMatch')}</p>}>
          {(option) => <OptionItem option={option} />}
        </ListBox>
      </Popover>
    </AriaComboBox>
  );
}

/** Several of a list, below a button that tells how many are chosen. */
export function Several<K extends string>({
  label,
  options,
  value,
  onChange,
}: {
  readonly label: string;
  readonly options: readonly Option<K>[];
  readonly value: readonly K[];
  readonly onChange: (value: readonly K[]) => void;
}): ReactNode {
  const chosen = options.filter(({id}) => value.includes(id));
  return (
    <AriaSelect
      aria-label={label}
      selectionMode="multiple"
      value={value}
      onChange={(keys) => onChange(keys.map(String) as K[])}
      className="field"
    >
      <Button className="button filter" data-look="plain" data-active={chosen.length > 0 || undefined}>
        <span className="button-text">
          {label}
          {chosen.length > 0 && <b>{chosen.length === 1 ? chosen[0]?.label : chosen.length}</b>}
        </span>
        <Icon name="down" />
      </Button>
      <Popover className="popover" data-overlay="" offset={4}>
        <ListBox className="options" items={options}>
          {(option) => <OptionItem option={option} />}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

export function Checkbox({
  children,
  isSelected,
  onChange,
  ...rest
}: {
  readonly 'children'?: ReactNode;
  readonly 'isSelected': boolean;
  readonly 'onChange': (isSelected: boolean) => void;
  readonly 'isDisabled'?: boolean;
  readonly 'aria-label'?: string;
}): ReactNode {
  return (
    <CheckboxField {...rest} className="one-line" isSelected={isSelected} onChange={onChange}>
      <CheckboxButton className="checkbox">
        <span className="checkbox-box">
          <Icon name="check" />
        </span>
        {children}
      </CheckboxButton>
    </CheckboxField>
  );
}

export function Switch({
  children,
  isSelected,
  onChange,
}: {
  readonly children: ReactNode;
  readonly isSelected: boolean;
  readonly onChange: (isSelected: boolean) => void;
}): ReactNode {
  return (
    <SwitchField isSelected={isSelected} onChange={onChange}>
      <SwitchButton className="switch">
        <span className="switch-track" />
        {children}
      </SwitchButton>
    </SwitchField>
  );
}

/** A few ways to look at the same thing. Tab enters at the chosen one, arrows choose another. */
export function Segments<K extends string>({
  label,
  options,
  value,
  onChange,
}: {
  readonly label: string;
  readonly options: readonly {readonly id: K; readonly label: string; readonly icon?: IconName}[];
  readonly value: K;
  readonly onChange: (value: K) => void;
}): ReactNode {
  return (
    <RadioGroup
      aria-label={label}
      className="segments"
      orientation="horizontal"
      value={value}
      onChange={(chosen) => onChange(chosen as K)}
    >
      {options.map(({id, label: name, icon}) => (
        <RadioField key={id} value={id} className="segment-field">
          <RadioButton className="segment">
            {icon !== undefined && <Icon name={icon} />}
            {name}
          </RadioButton>
        </RadioField>
      ))}
    </RadioGroup>
  );
}

/** One of a few that need explaining: each is a card. */
export function Cards<K extends string>({
  label,
  options,
  value,
  onChange,
  isLabelHidden,
}: {
  readonly label: string;
  readonly options: readonly Option<K>[];
  readonly value: K | null;
  readonly onChange: (value: K) => void;
  readonly isLabelHidden?: boolean;
}): ReactNode {
  return (
    <RadioGroup className="field" value={value} onChange={(chosen) => onChange(chosen as K)}>
      <Label className={isLabelHidden === true ? 'only-read-out' : 'label'}>{label}</Label>
      <div className="cards">
        {options.map(({id, label: name, text, mark, note}) => (
          <RadioField key={id} value={id} className="card-field">
            <RadioButton className="card-choice">
              {mark}
              <span className="option-words">
                <span className="option-label">{name}</span>
                {text !== undefined && <span className="option-text">{text}</span>}
                {note}
              </span>
              <span className="card-choice-dot" />
            </RadioButton>
          </RadioField>
        ))}
      </div>
    </RadioGroup>
  );
}
