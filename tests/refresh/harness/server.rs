//! A server that answers as a test says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

/// What came: the body of each request.
type Bodies = Arc<Mutex<Vec<String>>>;

pub struct Server {
    pub url: String,
    bodies: Bodies,
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

    /// With a header, as it stands in the answer.
    pub fn answering_with(header: &str, status: u16, body: &str) -> Self {
        Self::serve(vec![Some((status, &format!("{header}\r\n"), body))], None)
    }

    /// Answers only when it is told to, once for each time.
    pub fn held(status: u16, body: &str) -> (Self, Sender<()>) {
        let (tell, told) = channel();
        (Self::serve(vec![Some((status, "", body))], Some(told)), tell)
    }

    fn serve(answers: Vec<Option<(u16, &str, &str)>>, told: Option<Receiver<()>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let url = format!("http://{}/token", listener.local_addr().expect("an address"));
        let bodies = Bodies::default();
        let seen = Arc::clone(&bodies);
        let owned = |(status, header, body): (u16, &str, &str)| (status, header.to_owned(), body.to_owned());
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.map(owned)).collect();
        thread::spawn(move || {
            for (count, mut connection) in listener.incoming().flatten().enumerate() {
                let mut reader = BufReader::new(&connection);
                let mut length = 0;
                for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty())
                {
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().expect("a length");
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).expect("a body");
                seen.lock().unwrap().push(String::from_utf8(body).expect("text"));
                if let Some(told) = &told {
                    let _ = told.recv();
                }
                if let Some((status, header, body)) = &answers[count.min(answers.len() - 1)] {
                    let _ = write!(
                        connection,
                        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                         {header}Connection: close\r\n\r\n{body}",
                        body.len()
                    );
                }
            }
        });
        Self { url, bodies }
    }

    pub fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}
