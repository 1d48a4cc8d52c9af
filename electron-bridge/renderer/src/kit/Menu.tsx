/** Further actions behind one button. */
import type {ReactNode} from 'react';
import {Menu as AriaMenu, MenuItem, MenuTrigger, Popover} from 'react-aria-components';
import {IconButton} from './Button.js';
import {Icon, type IconName} from './Icon.js';

export interface MenuAction {
  readonly id: string;
  readonly label: string;
  readonly icon?: IconName;
  readonly isDangerous?: boolean;
  readonly onAction: () => void;
}

export function Menu({label, actions}: {readonly label: string; readonly actions: readonly MenuAction[]}): ReactNode {
  return (
    <MenuTrigger>
      <IconButton icon="more" label={label} />
      <Popover className="popover" data-overlay="" placement="bottom end" offset={4}>
        <AriaMenu className="options" aria-label={label}>
          {actions.map(({id, label: name, icon, isDangerous, onAction}) => (
            <MenuItem
              key={id}
              id={id}
              textValue={name}
              className="option"
              data-danger={isDangerous || undefined}
              onAction={onAction}
            >
              {icon !== undefined && <Icon name={icon} />}
              <span className="option-label">{name}</span>
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
