//! Printing on the other cores of the machine, while the flow engine goes on with other items.
//!
//! A document is what its content says, whoever prints it: it does not matter which thread does, in which order, or
//! whether it is printed twice.

use super::pdf::Printer;
use crate::world::{DocumentError, Invoice};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

/// So many threads at most: beyond that the one that writes can't keep up.
const MOST_THREADS: usize = 8;

/// So many documents are kept for somebody who asks for them; those of items that were given up are never asked for.
const MOST_BEGUN: usize = 1_000;

type Printed = Result<Vec<u8>, DocumentError>;

struct Job {
    invoice: Arc<Invoice>,
    printed: mpsc::SyncSender<Printed>,
}

/// Threads that print.
#[derive(Debug)]
pub(super) struct Press {
    /// None when no thread could be had.
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    /// What was begun, the first first; that is the one that is mostly asked for.
    begun: VecDeque<(Arc<Invoice>, mpsc::Receiver<Printed>)>,
}

impl Press {
    /// A thread a core, each with the fonts of this printer: the one that asks mostly waits while they print. A single
    /// core has one too, so that the items of a loop go on in the same order as elsewhere.
    pub fn new(printer: &Printer) -> Press {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Press::with_threads(printer, cores.min(MOST_THREADS))
    }

    fn with_threads(printer: &Printer, count: usize) -> Press {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        let start = |number: usize| {
            let (waiting, mut printer) = (waiting.clone(), printer.another());
            let work = move || {
                loop {
                    let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    // Nobody may ask for it any more.
                    drop(job.printed.send(printer.invoice(&job.invoice)));
                }
            };
            std::thread::Builder::new().name(format!("print {number}")).spawn(work).ok()
        };
        let threads: Vec<JoinHandle<()>> = (1..=count).map_while(start).collect();
        let jobs = (!threads.is_empty()).then_some(jobs);
        Press { jobs, threads, begun: VecDeque::new() }
    }

    /// Begins to print an invoice; whether that will be done.
    pub fn begin(&mut self, invoice: &Invoice) -> bool {
        let Some(jobs) = &self.jobs else { return false };
        let invoice = Arc::new(invoice.clone());
        let (printed, receiver) = mpsc::sync_channel(1);
        if jobs.send(Job { invoice: invoice.clone(), printed }).is_err() {
            return false;
        }
        if self.begun.len() >= MOST_BEGUN {
            self.begun.pop_front();
        }
        self.begun.push_back((invoice, receiver));
        true
    }

    /// The document of an invoice, once it is printed; none when it was not begun, or its thread is no more.
    pub fn take(&mut self, invoice: &Invoice) -> Option<Printed> {
        let at = self.begun.iter().position(|(begun, _)| **begun == *invoice)?;
        let (_, receiver) = self.begun.remove(at)?;
        receiver.recv().ok()
    }
}

impl Drop for Press {
    fn drop(&mut self) {
        drop(self.jobs.take());
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Currency, Date, Money};

    fn invoice(number: &str) -> Invoice {
        let amount = Money::new(1.into(), Currency::EUR);
        let day = Date::constant(2026, 11, 22);
        Invoice {
            title: "Invoice".into(),
            number: number.into(),
            issued: day,
            due: day,
            seller: "Office Outfitters".into(),
            buyer: "Ada Lovelace".into(),
            reference: "".into(),
            lines: Vec::new(),
            taxes: Vec::new(),
            net: amount,
            tax: amount,
            gross: amount,
            note: "".into(),
        }
    }

    #[test]
    fn other_threads_print_the_same_bytes_whatever_the_order() {
        let mut printer = Printer::new(&[]).unwrap();
        let mut press = Press::with_threads(&printer, 3);
        let invoices: Vec<Invoice> = (0..9).map(|number| invoice(&format!("R-{number}"))).collect();
        assert!(invoices.iter().all(|invoice| press.begin(invoice)));
        for invoice in invoices.iter().rev() {
            assert_eq!(press.take(invoice), Some(printer.invoice(invoice)));
        }
        assert_eq!(press.take(&invoices[0]), None, "it was taken before");
        assert!(press.begun.is_empty());
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten() {
        let mut press = Press::with_threads(&Printer::new(&[]).unwrap(), 1);
        let begun: Vec<Invoice> = (0..=MOST_BEGUN).map(|number| invoice(&format!("R-{number}"))).collect();
        // Printed or not: their place is what counts.
        let (jobs, _kept) = mpsc::channel();
        press.jobs = Some(jobs);
        assert!(begun.iter().all(|invoice| press.begin(invoice)));
        assert_eq!(press.begun.len(), MOST_BEGUN);
        assert!(press.begun.iter().all(|(known, _)| **known != begun[0]));
    }

    #[test]
    fn without_threads_nothing_is_begun() {
        let mut press = Press::with_threads(&Printer::new(&[]).unwrap(), 0);
        assert!(!press.begin(&invoice("R-1")));
        assert_eq!(press.take(&invoice("R-1")), None);
    }
}
