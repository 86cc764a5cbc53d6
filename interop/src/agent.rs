//! The other side of a call, remote controlled: calls out and answers back as JSON, over a WebSocket to a page or
//! over the standard streams of a program.

use serde_json::{Value, json};
use std::{collections::BTreeMap, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::{mpsc, oneshot},
    time::timeout,
};

/// No call takes longer; agents time out themselves before that.
const PATIENCE: Duration = Duration::from_secs(40);

/// A call on its way, and where its answer goes.
type Request = (String, Value, oneshot::Sender<Result<Value, String>>);

/// The way to an agent. Ends with the agent.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    requests: mpsc::Sender<Request>,
}

impl Agent {
    /// An agent at the other end of two queues of JSON lines. Returns once it has said that it is ready.
    pub(crate) async fn connect(
        lines_out: mpsc::Sender<String>,
        mut lines_in: mpsc::Receiver<String>,
    ) -> Result<Self, String> {
        let hello =
            timeout(PATIENCE, lines_in.recv()).await.ok().flatten().ok_or("the agent did not start")?;
        let hello: Value = serde_json::from_str(&hello).map_err(|error| format!("{hello}: {error}"))?;
        if hello.get("ready").is_none() {
            return Err(format!("the agent began with {hello}"));
        }
        let (requests, queue) = mpsc::channel(16);
        tokio::spawn(serve(queue, lines_out, lines_in));
        Ok(Self { requests })
    }

    /// Makes the agent do something and returns what it answers.
    pub(crate) async fn call(&self, name: &str, args: Value) -> Result<Value, String> {
        let (reply, answer) = oneshot::channel();
        self.requests.send((name.to_owned(), args, reply)).await.map_err(|_| "the agent is gone")?;
        match timeout(PATIENCE, answer).await {
            Ok(Ok(result)) => result.map_err(|error| format!("{name}: {error}")),
            Ok(Err(_)) => Err(format!("{name}: the agent went away")),
            Err(_) => Err(format!("{name}: no answer within {} s", PATIENCE.as_secs())),
        }
    }
}

async fn serve(
    mut requests: mpsc::Receiver<Request>,
    lines_out: mpsc::Sender<String>,
    mut lines_in: mpsc::Receiver<String>,
) {
    let mut waiting = BTreeMap::new();
    let mut next = 0_u64;
    loop {
        tokio::select! {
            request = requests.recv() => {
                let Some((call, args, reply)) = request else { return };
                next += 1;
                waiting.insert(next, reply);
                if lines_out.send(json!({ "id": next, "call": call, "args": args }).to_string()).await.is_err() {
                    return;
                }
            }
            line = lines_in.recv() => {
                let Some(line) = line else { return };
                let Ok(answer) = serde_json::from_str::<Value>(&line) else { continue };
                let id = answer.get("id").and_then(Value::as_u64).unwrap_or_default();
                let Some(reply) = waiting.remove(&id) else { continue };
                let result = match answer.get("error").and_then(Value::as_str) {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(answer.get("ok").cloned().unwrap_or(Value::Null)),
                };
                // The caller may have given up.
                let _ = reply.send(result);
            }
        }
    }
}

/// An agent that is a program of its own. Dropping it kills the program.
pub(crate) struct Program {
    pub(crate) agent: Agent,
    child: Child,
}

impl Program {
    /// Starts a program that speaks JSON lines on its standard streams.
    pub(crate) async fn start(mut command: Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        let (mut stdin, stdout) = child.stdin.take().zip(child.stdout.take()).ok_or("no standard streams")?;
        let (lines_out, mut to_write) = mpsc::channel::<String>(16);
        let (read, lines_in) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Some(line) = to_write.recv().await {
                if stdin.write_all(format!("{line}\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if read.send(line).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { agent: Agent::connect(lines_out, lines_in).await?, child })
    }

    /// Its process, while it runs.
    pub(crate) fn process(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends the program without warning, as a crash would.
    pub(crate) async fn kill(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill().await;
    }
}
