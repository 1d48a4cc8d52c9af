/** Things to press. A button that works keeps the focus and says so; it is never taken away under the finger. */
import type {ReactNode} from 'react';
import {
  Button as AriaButton,
  ProgressBar,
  Tooltip,
  TooltipTrigger,
  type ButtonProps as AriaButtonProps,
} from 'react-aria-components';
import {useTexts} from '../i18n/index.js';
import {Icon, type IconName} from './Icon.js';
import {Spinner} from './Spinner.js';

export interface ButtonProps extends Omit<AriaButtonProps, 'children' | 'className' | 'style'> {
  readonly children: ReactNode;
  /** @default 'plain' */
  readonly look?: 'primary' | 'plain' | 'quiet' | 'danger';
  readonly icon?: IconName;
  /** @default 'normal' */
  readonly size?: 'normal' | 'small';
}

export function Button({children, look = 'plain', size = 'normal', icon, isPending, ...rest}: ButtonProps): ReactNode {
  const {t} = useTexts();
  return (
    <AriaButton {...rest} isPending={isPending} className="button" data-look={look} data-size={size}>
      {isPending === true ? (
        // Read out when it begins: the button tells that by this part of it.
        <ProgressBar isIndeterminate aria-label={t('action.pending')} className="button-pending">
          <Spinner />
        </ProgressBar>
      ) : (
        icon !== undefined && <Icon name={icon} />
      )}
      <span className="button-text">{children}</span>
    </AriaButton>
  );
}

/** A button that shows an icon only; its name appears beside it and is read out. */
export function IconButton({
  label,
  icon,
  ...rest
}: Omit<AriaButtonProps, 'children' | 'className' | 'style' | 'aria-label'> & {
  readonly label: string;
  readonly icon: IconName;
}): ReactNode {
  return (
    <TooltipTrigger delay={500}>
      <AriaButton {...rest} aria-label={label} className="button icon-button" data-look="quiet">
        <Icon name={icon} />
      </AriaButton>
      <Tooltip className="tooltip" offset={6}>
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}
