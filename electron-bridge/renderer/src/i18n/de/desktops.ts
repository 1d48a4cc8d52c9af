/** Die Computer eines Teams: um Zutritt zum Tresor bitten, einlassen, entfernen. */
import type {desktops as english} from '../en/desktops.js';
import type {Translation} from '../message.js';

export const desktops: Translation<typeof english> = {
  'join.title': 'Um Zutritt bitten',
  'join.text':
    'Wer an einem Computer mit Zutritt sitzt, kann diesen einlassen. Sie lesen einen Code vor; die Datenbank erfährt ihn nie.',
  'join.label': 'Name dieses Computers',
  'join.label.hint': 'Die anderen sehen ihn. Bleibt er leer, sind es Ihr Konto und der Name dieses Computers.',
  'join.ask': 'Um Zutritt bitten',
  'join.waiting': 'Wartet auf Einlass',
  'join.code': 'Code zum Vorlesen',
  'join.copy': 'Kopieren',
  'join.copied': 'Der Code ist kopiert.',
  'join.copy.marked': 'Der Code ist markiert: Kopieren Sie ihn mit der Tastatur.',
  'join.step.call':
    'Rufen Sie jemanden an, dessen Computer Zutritt hat. E-Mail und Chat taugen nicht: Dort lesen und schreiben auch andere.',
  'join.step.there': 'Dort die Seite Tresor öffnen, unter „Computer“ {name} suchen und „Einlassen“ drücken.',
  'join.step.there.unnamed':
    'Dort die Seite Tresor öffnen, unter „Computer“ diesen Computer suchen und „Einlassen“ drücken.',
  'join.step.read': 'Lesen Sie den Code vor. Danach öffnet sich dieser Computer in Sekunden von selbst.',
  'join.expires': 'Der Code gilt noch {time}.',
  'join.again': 'Neuen Code machen',
  'join.cancel': 'Bitte zurückziehen',
  'join.gone': 'Die Bitte ist erledigt',
  'join.gone.text':
    'Sie wurde abgelehnt, ist älter als einen Tag oder nach fünf falschen Codes ungültig. Sie können noch einmal bitten.',
  'join.done': 'Dieser Computer hat Zutritt zum Tresor',
  'join.done.text': 'Ab jetzt lassen sich Schlüssel benutzen und setzen.',
  'desktops': 'Computer',
  'desktops.text': 'Die Computer, die den Tresor öffnen können.',
  'desktops.text.locked': 'Wer an einem dieser Computer sitzt, kann diesen einlassen.',
  'desktops.none': 'Noch ist von keinem Computer bekannt, dass er Zutritt hat.',
  'desktops.this': 'Dieser Computer',
  'desktops.asks': 'Bittet um Zutritt',
  'desktops.asked': 'Gebeten',
  'desktops.until': 'Bis {time}',
  'desktops.seen': 'Zuletzt gesehen',
  'desktops.seen.never': 'Noch nicht gesehen',
  'desktops.approved': 'Eingelassen von {name}',
  'desktops.untrusted': 'Ohne Bürgen',
  'desktops.untrusted.text':
    'Kein Mitglied bürgt für diesen Eintrag: Jemand hat ihn in der Datenbank geschrieben oder geändert. Mit ihm wird nichts geteilt. Entfernen Sie ihn, und sagen Sie es der Datenbank-Verwaltung.',
  'desktops.gone': 'einem Computer, den es nicht mehr gibt',
  'desktops.approve': 'Einlassen',
  'desktops.approve.of': '{name} einlassen',
  'desktops.reject': 'Ablehnen',
  'desktops.reject.of': '{name} ablehnen',
  'desktops.remove': 'Entfernen',
  'desktops.remove.of': '{name} entfernen',
  'approve.title': '{name} einlassen?',
  'approve.text':
    'Rufen Sie die Person an und lassen Sie sich den Code von deren Bildschirm vorlesen. Nehmen Sie keinen Code aus einer E-Mail oder einem Chat: Den kann jemand anderes geschrieben haben.',
  'approve.code': 'Vorgelesener Code',
  'approve.code.hint': 'Großschreibung, Striche und Leerzeichen spielen keine Rolle.',
  'approve.incomplete': {
    one: 'Ein Code hat 17 Zeichen; {count} ist da.',
    other: 'Ein Code hat 17 Zeichen; {count} sind da.',
  },
  'approve.mistyped':
    'Vertippt: Ein Zeichen ist falsch, oder zwei sind vertauscht. Lassen Sie ihn noch einmal vorlesen. Das zählte noch nicht als Versuch.',
  'approve.wrong': 'Das ist nicht der Code dieser Bitte',
  'approve.wrong.text':
    'Er ist richtig getippt. Er gehört also zu einer anderen Bitte, oder jemand hat diese in der Datenbank geändert. Geteilt wurde nichts.',
  'approve.wrong.next':
    'Fragen Sie nach dem Code, der dort jetzt auf dem Bildschirm steht. Ist es dieser, lassen Sie den Computer nicht ein, und sagen Sie es der Datenbank-Verwaltung. Fünf falsche Codes beenden die Bitte.',
  'approve.void': 'Das war der fünfte falsche Code: Die Bitte ist ungültig. Dort kann noch einmal gebeten werden.',
  'approve.gone':
    'Die Bitte ist nicht mehr da: Sie wurde zurückgezogen, abgelehnt oder ungültig, oder jemand anderes hat entschieden.',
  'approve.expired': 'Die Bitte ist älter als einen Tag. Dort soll noch einmal gebeten werden.',
  'approve.done': '{name} hat Zutritt.',
  'remove.title': '{name} entfernen?',
  'remove.text':
    'Dort ist der Tresor sofort verschlossen, und es gibt einen neuen Tresorschlüssel. Was dort bisher gelesen wurde, kann jemand behalten haben: Sie erfahren, wie viele Geheimnisse zu ersetzen sind.',
  'remove.text.this':
    'An diesem Computer sitzen Sie. Sein Tresor wird verschlossen, und jemand anderes muss ihn wieder einlassen.',
  'remove.text.untrusted': 'Mit ihm wurde nie etwas geteilt. Nur der Eintrag verschwindet.',
  'remove.recovery':
    'Der Wiederherstellungscode wird ungültig, denn dieser Computer hätte ihn lesen können. Machen Sie danach einen neuen.',
  'remove.confirm': 'Zur Bestätigung den Namen des Computers eingeben',
  'remove.mismatch': 'Das ist nicht der Name des Computers.',
  'remove.last': 'Er ist der letzte mit Zutritt: Niemand könnte den Tresor noch öffnen.',
  'removed.title': '{name} hat keinen Zutritt mehr',
  'removed.none': 'Dort hätte kein Geheimnis gelesen werden können.',
  'removed.secrets': {
    one: 'Dort hätte {count} Geheimnis gelesen werden können. Ersetzen Sie es beim Anbieter.',
    other: 'Dort hätten {count} Geheimnisse gelesen werden können. Ersetzen Sie sie bei den Anbietern.',
  },
  'removed.recovery': 'Der Wiederherstellungscode ist ungültig. Machen Sie auf dieser Seite einen neuen.',
  'removed.keys': 'Zu den Schlüsseln',
};
