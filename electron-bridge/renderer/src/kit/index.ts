/** The component kit: what every page is made of. */
export {Button, IconButton, type ButtonProps} from './Button.js';
export {Cards, Checkbox, ComboBox, Segments, Select, Several, Switch, type Option} from './Choice.js';
export {Confirm, Dialog, useOpen} from './Dialog.js';
export {SecretField, TextArea, TextField} from './Field.js';
export {Icon, type IconName} from './Icon.js';
export {Menu, type MenuAction} from './Menu.js';
export {Details, Empty, Facts, Notice, Outcome, Section, Skeleton, type OutcomeKind} from './Notice.js';
export {Spinner} from './Spinner.js';
export {Ago, Since, clockText, dateText, momentText, spanText} from './Time.js';
