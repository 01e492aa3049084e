//! A token endpoint that answers as a test says.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
    mpsc::{Receiver, Sender, channel},
};

use crate::Stub;

/// A token endpoint with scripted answers.
pub struct Server {
    pub url: String,
    stub: Stub,
}

impl Server {
    /// Gives the same answer to every request: a status and a body, or nothing at all.
    pub fn answering(answer: Option<(u16, &str)>) -> Self {
        Self::serve(vec![answer.map(|(status, body)| (status, "", body))], None)
    }

    /// Gives one answer after the other, and the last one for ever.
    pub fn answering_in_turn(answers: &[(u16, &str)]) -> Self {
        Self::serve(answers.iter().map(|(status, body)| Some((*status, "", *body))).collect(), None)
    }

    /// Answers with a header, as it stands in the answer.
    pub fn answering_with(header: &str, status: u16, body: &str) -> Self {
        Self::serve(vec![Some((status, &format!("{header}\r\n"), body))], None)
    }

    /// Answers only when it is told to, once for each time.
    pub fn held(status: u16, body: &str) -> (Self, Sender<()>) {
        let (tell, told) = channel();
        (Self::serve(vec![Some((status, "", body))], Some(told)), tell)
    }

    fn serve(answers: Vec<Option<(u16, &str, &str)>>, told: Option<Receiver<()>>) -> Self {
        let whole = |(status, header, body): (u16, &str, &str)| {
            let length = body.len();
            format!(
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
                 {header}Connection: close\r\n\r\n{body}"
            )
        };
        let answers: Vec<Option<String>> = answers.into_iter().map(|answer| answer.map(whole)).collect();
        let (told, count) = (told.map(Mutex::new), AtomicUsize::new(0));
        let stub = Stub::that(move |_| {
            let number = count.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            if let Some(told) = &told {
                let _ = told.lock().unwrap().recv();
            }
            answers[number].clone().unwrap_or_default().into_bytes()
        });
        Self { url: stub.url("/token"), stub }
    }

    /// The body of each request that came.
    pub fn bodies(&self) -> Vec<String> {
        self.stub.asked().into_iter().map(|asked| asked.body).collect()
    }
}
