/** The keys, and whether single ones count. */
import {useState, type ReactNode} from 'react';
import {useTexts} from '../i18n/index.js';
import {Dialog, Switch} from '../kit/index.js';
import {ROUTES} from './routes.js';
import {PLACES_BY_KEY, areKeysOn, setKeysOn, useShortcuts} from './shortcuts.js';

export function Help(): ReactNode {
  const {t} = useTexts();
  const {isHelpOpen, setHelpOpen} = useShortcuts();
  const [areOn, setOn] = useState(areKeysOn);
  const places = Object.entries(PLACES_BY_KEY).flatMap(([key, path]) => {
    const title = ROUTES.find(({pattern}) => pattern === path)?.title;
    return title === undefined ? [] : [[['G', key.toUpperCase()], t('help.go', {page: t(title)})] as const];
  });
  const keys: readonly (readonly [readonly string[], string])[] = [
    [['/'], t('help.search')],
    [['N'], t('help.new')],
    [['S'], t('help.status')],
    [['?'], t('help.help')],
    [['Esc'], t('help.close')],
    [['Ctrl', 'Enter'], t('help.submit')],
    [['↑', '↓'], t('help.move')],
    ...places,
  ];
  return (
    <Dialog title={t('help.title')} isOpen={isHelpOpen} onClose={() => setHelpOpen(false)}>
      <dl className="keys">
        {keys.map(([words, meaning]) => (
          <div key={meaning} className="keys-row">
            <dt>
              {words.map((word) => (
                <kbd key={word}>{word}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <Switch
        isSelected={areOn}
        onChange={(isOn) => {
          setKeysOn(isOn);
          setOn(isOn);
        }}
      >
        <span className="option-words">
          <span className="option-label">{t('help.keys')}</span>
          <span className="option-text">{t('help.keys.text')}</span>
        </span>
      </Switch>
    </Dialog>
  );
}
