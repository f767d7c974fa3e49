// What every user should know about the server, e.g. that its stores are simulated.
import { Alert } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { serverQuery } from '../session/server';

export function Notices() {
  const { data } = useQuery(serverQuery);
  return data?.notices.map((notice) => (
    <Alert key={notice} color="yellow" role="note" mb="md" className="untrusted">
      {notice}
    </Alert>
  ));
}
