/** One task with everything about it. */
import {useState, type ReactNode} from 'react';
import {Link} from '../../app/router.js';
import type {PageProps} from '../../app/routes.js';
import {Loaded} from '../../data/Loaded.js';
import {useTask} from '../../data/work/tasks.js';
import {useTexts} from '../../i18n/index.js';
import {Ago, Button, Dialog, Icon} from '../../kit/index.js';
import {EditTask} from './TaskForm.js';
import {Reason} from './TaskRow.js';

export default function TaskPage({values}: PageProps): ReactNode {
  const {id = ''} = values;
  const {t} = useTexts();
  const query = useTask(id);
  const [isEditing, setEditing] = useState(false);
  return (
    <div className="column">
      <p>
        <Link to="/tasks" className="back">
          <Icon name="left" />
          {t('nav.tasks')}
        </Link>
      </p>
      <Loaded query={query}>
        {(task) => (
          <>
            <header className="page-head">
              <h1 className="page-title">{task.value.title}</h1>
              <Button icon="edit" onPress={() => setEditing(true)}>
                {t('action.edit')}
              </Button>
            </header>
            {task.value.status === 'Blocked' && <Reason task={task.value} />}
            {task.value.description !== null && <p className="prose">{task.value.description}</p>}
            <ul className="updates">
              {task.value.daily_updates.map((update) => (
                <li key={update.id} className="update">
                  <p className="update-head">
                    <b>{update.author_name}</b> <Ago at={update.created_at} />
                  </p>
                  <p className="prose">{update.content}</p>
                </li>
              ))}
            </ul>
            <Dialog title={t('task.edit')} isOpen={isEditing} onClose={() => setEditing(false)}>
              <EditTask id={id} task={task} onClose={() => setEditing(false)} />
            </Dialog>
          </>
        )}
      </Loaded>
    </div>
  );
}
