// A store at a glance: how its making goes, where it is reached, how to sign in, and whether one can buy something.
import { Grid, Stack } from '@mantine/core';
import { useMay } from '../session/whoami';
import { Addresses } from './Addresses';
import { Credentials } from './Credentials';
import { Deleting } from './Deleting';
import { Latest } from './Latest';
import { Pipeline } from './Pipeline';
import { TestOrder } from './TestOrder';
import { useStore } from './context';

export function OverviewTab() {
  const store = useStore();
  const operator = useMay('operator');
  if (store.status === 'deleting') return <Deleting store={store} />;
  return (
    <Grid gap="lg">
      <Grid.Col span={{ base: 12, md: 7 }}>
        <Stack gap="lg">
          <Pipeline store={store} />
          <Latest store={store} />
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 5 }}>
        <Stack gap="lg">
          <Addresses store={store} />
          {operator && <Credentials store={store} />}
          {operator && <TestOrder store={store} />}
        </Stack>
      </Grid.Col>
    </Grid>
  );
}
