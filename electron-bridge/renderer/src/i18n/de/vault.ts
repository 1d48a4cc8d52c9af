/** Der Tresor: verschlossen und offen, Wiederherstellung, Schlüsselwechsel, was sich nicht öffnen lässt. */
import type {vault as english} from '../en/vault.js';
import type {Translation} from '../message.js';

export const vault: Translation<typeof english> = {
  'nav.vault': 'Tresor',
  'vault.text':
    'Schlüssel und Passwörter liegen versiegelt in der Datenbank; nur Computer mit ihrem Schlüssel öffnen sie.',
  'vault.open': 'Tresor öffnen',
  'vault.state.unlocked': 'Offen',
  'vault.state.locked': 'Verschlossen',
  'vault.state.unavailable': 'Nicht erreichbar',
  'vault.state.rolled-back': 'Zurückgesetzt',
  'vault.secrets': {one: '{count} Geheimnis', other: '{count} Geheimnisse'},
  'vault.unreadable': {one: '{count} lässt sich nicht öffnen', other: '{count} lassen sich nicht öffnen'},
  'vault.fingerprint': 'Schlüssel dieses Computers',
  'vault.needs': 'Schlüssel, der ihn öffnet',
  'vault.kid': 'Tresorschlüssel',
  'vault.id': 'Tresor',
  'vault.locked': 'Der Tresor ist verschlossen',
  'vault.locked.keys': 'Schlüssel werden aufgeführt, aber keiner lässt sich benutzen oder setzen, bis er offen ist.',
  'vault.planted': 'Jemand hat einen fremden Schlüssel in den Tresor gelegt',
  'vault.planted.text':
    'Kein Mitglied bürgt für den Tresorschlüssel in der Datenbank. Deshalb wird nichts darunter versiegelt und nichts benutzt. Sagen Sie es denen, die die Datenbank betreuen, und prüfen Sie den Tresor.',
  'vault.planted.accept': 'Mit dem Schlüssel der Mitglieder weiterarbeiten',
  'vault.locked.text':
    'Seine Geheimnisse wurden mit dem Schlüssel eines anderen Computers versiegelt, {fingerprint}. Ansehen und Löschen gehen, Benutzen und Setzen nicht.',
  'vault.unlock': 'Öffnen',
  'vault.unlock.title': 'Öffnen',
  'vault.unlock.text':
    'Der Wiederherstellungscode auf Ihrem ausgedruckten Blatt oder der Schlüssel selbst öffnet ihn auf diesem Computer für immer.',
  'vault.unlock.code': 'Wiederherstellungscode',
  'vault.unlock.key': 'Schlüssel',
  'vault.unlock.how': 'Was Sie haben',
  'vault.unlock.code.hint': 'Großschreibung, Striche und Leerzeichen spielen keine Rolle.',
  'vault.unlock.done': 'Der Tresor ist offen.',
  'vault.unlock.code.wrong': 'Dieser Wiederherstellungscode öffnet diesen Tresor nicht.',
  'vault.unlock.key.wrong': 'Dieser Schlüssel öffnet diesen Tresor nicht.',
  'vault.reset': 'Verlorenen Schlüssel aufgeben',
  'vault.reset.text':
    'Wenn sich weder Code noch Schlüssel finden, beginnen Sie mit einem neuen Schlüssel. Was versiegelt ist, bleibt unlesbar und ist einzeln neu einzugeben.',
  'vault.reset.title': 'Den verlorenen Schlüssel endgültig aufgeben?',
  'vault.reset.confirm': 'Zur Bestätigung die Kennung des Tresors eingeben',
  'vault.reset.mismatch': 'Das ist nicht die Kennung des Tresors.',
  'vault.recovery': 'Wiederherstellungscode',
  'vault.recovery.some':
    'Es gibt einen Code. Er öffnet den Tresor, wenn jeder Schlüssel verloren ist; ein neuer ersetzt ihn.',
  'vault.recovery.none':
    'Es gibt noch keinen. Geht der Schlüssel dieses Computers verloren, ist alles im Tresor verloren.',
  'vault.recovery.make': 'Wiederherstellungscode erzeugen',
  'vault.recovery.new': 'Neuen Wiederherstellungscode erzeugen',
  'vault.recovery.title': 'Ihr Wiederherstellungscode',
  'vault.recovery.print':
    'Drucken Sie diese Seite oder schreiben Sie den Code ab, und bewahren Sie ihn fern von diesem Computer auf. Er wird einmal gezeigt.',
  'vault.recovery.print.button': 'Drucken',
  'vault.recovery.sheet': 'TaskFlow: Wiederherstellungscode des Tresors {vault}',
  'vault.recovery.sheet.text': 'Wer dieses Blatt und die Datenbank hat, kann den Tresor öffnen. Gut wegschließen.',
  'vault.recovery.written': 'Ich habe ihn auf Papier',
  'vault.recovery.enter': 'Code vom Papier eingeben',
  'vault.recovery.enter.text': 'Damit sicher ist, dass er zu lesen ist. Erst dann gilt er.',
  'vault.recovery.different': 'Das ist nicht der gezeigte Code. Vergleichen Sie Buchstabe für Buchstabe.',
  'vault.recovery.done': 'Der Wiederherstellungscode ist gesetzt.',
  'vault.rotation': 'Schlüsselwechsel',
  'vault.rotation.text': 'Ein neuer Tresorschlüssel, unter dem alles neu versiegelt wird, während alle weiterarbeiten.',
  'vault.rotation.last': 'Zuletzt {time}.',
  'vault.rotation.never': 'Noch nie.',
  'vault.rotation.start': 'Jetzt wechseln',
  'vault.rotation.running': 'Wird neu versiegelt: {done} von {total}',
  'vault.rotation.progress': 'Fortschritt des Schlüsselwechsels',
  'vault.rotation.done': {
    one: '{count} Geheimnis wurde neu versiegelt.',
    other: '{count} Geheimnisse wurden neu versiegelt.',
  },
  'vault.rotation.quarantined': {
    one: '{count} ließ sich nicht öffnen und blieb, wie es ist.',
    other: '{count} ließen sich nicht öffnen und blieben, wie sie sind.',
  },
  'vault.verify': 'Prüfung',
  'vault.verify.text':
    'Öffnet jedes Geheimnis einmal und sucht, was verschoben, zurückgespielt oder von außen geändert wurde.',
  'vault.verify.button': 'Jedes Geheimnis prüfen',
  'vault.verify.running': 'Jedes Geheimnis wird geöffnet …',
  'vault.verify.good': {
    one: 'Das eine Geheimnis lässt sich öffnen und ist an seinem Platz.',
    other: 'Alle {count} Geheimnisse lassen sich öffnen und sind an ihrem Platz.',
  },
  'vault.verify.none': 'Es gibt noch nichts zu prüfen.',
  'vault.verify.bad': {one: '{count} Befund', other: '{count} Befunde'},
  'vault.finding': 'Befund',
  'vault.finding.owner': 'Von',
  'vault.finding.vault': 'Der Tresor selbst',
  'vault.finding.unreadable': 'Das Geheimnis wurde verschoben oder verfälscht: Geben Sie es neu ein.',
  'vault.finding.missing': 'Es ist weg, und niemand hat es hier gelöscht.',
  'vault.finding.restored': 'Es ist nicht das zuletzt gespeicherte: Es wurde zurückgeholt oder geändert.',
  'vault.finding.policy': 'Stufe oder Grenzen wurden außerhalb geändert: Setzen Sie sie neu.',
  'vault.finding.locked': 'Der Schlüssel, unter dem es liegt, ist nicht zur Hand.',
  'vault.finding.rolled-back':
    'Die Datenbank hat einen älteren Stand, als schon zu sehen war: Benutzen und Schreiben warten, bis jemand ihn annimmt.',
  'vault.finding.broken':
    'Das Verzeichnis des Tresors wurde außerhalb geändert: Nehmen Sie diesen Stand an, oder stellen Sie es wieder her.',
  'vault.finding.key':
    'Einen Tresorschlüssel hat jemand abgelegt oder geändert, der kein Mitglied ist: Unter ihm wird nichts versiegelt.',
  'vault.finding.wrap': 'Eine Hülle des Tresorschlüssels gehört nicht zum Tresor: Sie öffnet nichts.',
  'vault.finding.waiting': 'Es wurde mit einem anderen API_KEY_ENCRYPTION_SECRET gespeichert als dem hiesigen.',
  'vault.finding.member':
    'Für einen Computer bürgt kein Mitglied; oben in der Liste ist er gekennzeichnet. Entfernen Sie ihn.',
  'vault.finding.other': 'Etwas ist nicht, wie es abgelegt wurde ({kind}).',
  'vault.rolledback': 'Der Tresor wurde auf einen älteren Stand zurückgesetzt',
  'vault.rolledback.text':
    'Die Datenbank hat einen älteren Stand, als dieser Computer gesehen hat, wie nach dem Zurückspielen einer Sicherung. Bis jemand ihn annimmt, werden Geheimnisse weder benutzt noch geschrieben.',
  'vault.rolledback.accept': 'Älteren Stand annehmen',
};
