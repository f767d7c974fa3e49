// A dialog that asks before something happens.
import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Dialog.module.css';

interface DialogProps {
  title: string;
  opened: boolean;
  close(): void;
  children: ReactNode;
}

export function Dialog({ title, opened, close, children }: DialogProps) {
  return (
    <Modal.Root opened={opened} onClose={close} centered lockScroll={false}>
      <Modal.Overlay />
      <Modal.Content className={classes.dialog}>
        <Modal.Body p="lg">
          <Modal.Title fz="lg" fw={650} mb="sm">
            {title}
          </Modal.Title>
          {children}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
