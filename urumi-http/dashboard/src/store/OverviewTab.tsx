// The overview of a store: progress, addresses, first sign-in, and test order.
import { Stack } from '@mantine/core';
import { useMay } from '../session/whoami';
import { Addresses } from './Addresses';
import { Credentials } from './Credentials';
import { Deleting } from './Deleting';
import { Latest } from './Latest';
import { Pipeline } from './Pipeline';
import { RolloutNote } from './RolloutNote';
import { TestOrder } from './TestOrder';
import { useStore } from './context';
import classes from './OverviewTab.module.css';

export function OverviewTab() {
  const store = useStore();
  const operator = useMay('operator');
  if (store.status === 'deleting') return <Deleting store={store} />;
  return (
    <div className={classes.areas}>
      <div className={classes.pipeline}>
        <RolloutNote store={store} linked />
        <Pipeline store={store} />
      </div>
      <Stack gap="lg" className={classes.side}>
        <Addresses store={store} />
        {operator && <Credentials store={store} />}
        {operator && <TestOrder store={store} />}
      </Stack>
      <div className={classes.latest}>
        <Latest store={store} />
      </div>
    </div>
  );
}
