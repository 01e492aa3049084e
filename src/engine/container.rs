//! The life of one throwaway container, from its start to its removal.

use std::{collections::HashMap, time::Duration};

use bollard::{
    errors::Error as ApiError,
    exec::StartExecOptions,
    models::ExecConfig,
    query_parameters::{
        KillContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
        ResizeContainerTTYOptionsBuilder, StartContainerOptions, WaitContainerOptions,
    },
};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{
    Engine, EngineError, LOGIN_LABEL, command,
    error::{api, has_status},
};
use crate::ui::Size;

/// The API's own time limit is for answers that come at once; Podman answers a wait when the container has ended.
const WAIT_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// A created container. [`Container::remove`] must be called however its use ends.
#[derive(Clone, Debug)]
pub struct Container {
    pub(super) engine: Engine,
    /// The id.
    pub id: String,
    pub(super) terminal: bool,
    /// The path of the volume in the place of the login's directory.
    pub(super) volume: Option<String>,
}

impl Container {
    /// Starts the container.
    ///
    /// # Errors
    /// [`EngineError::Api`]
    pub async fn start(&self) -> Result<(), EngineError> {
        let started = self.engine.api.start_container(&self.id, None::<StartContainerOptions>).await;
        started.map_err(api("start the login's container"))
    }

    /// Changes the size of the container's terminal. Errors are ignored: the command may just have ended.
    pub async fn resize(&self, size: Size) {
        let options =
            ResizeContainerTTYOptionsBuilder::default().h(size.rows.into()).w(size.cols.into()).build();
        let _ = self.engine.api.resize_container_tty(&self.id, options).await;
    }

    /// Waits until the container has ended and returns its exit code.
    ///
    /// # Errors
    /// [`EngineError::Api`] when the connection to the engine ends first.
    pub async fn wait(&self) -> Result<i64, EngineError> {
        let action = "wait for the login's container";
        let patient = self.engine.api.clone().with_timeout(WAIT_LIMIT);
        let mut ends = Box::pin(patient.wait_container(&self.id, None::<WaitContainerOptions>));
        match ends.next().await {
            Some(Ok(end)) => Ok(end.status_code),
            Some(Err(ApiError::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(api(action)(error)),
            None => Err(EngineError::timed_out(action)),
        }
    }

    /// Sends a signal (`TERM`, `INT`, ..) to the command and everything that it started. Errors are ignored: the
    /// processes may have ended.
    pub async fn signal(&self, signal: &str) {
        let exec = ExecConfig { cmd: Some(command::signal_all(signal)), ..Default::default() };
        if let Ok(exec) = self.engine.api.create_exec(&self.id, exec).await {
            let options = StartExecOptions { detach: true, ..Default::default() };
            let _ = self.engine.api.start_exec(&exec.id, Some(options)).await;
        }
    }

    /// Kills the container. A container that has ended is no error.
    ///
    /// # Errors
    /// [`EngineError::Api`]
    pub async fn kill(&self) -> Result<(), EngineError> {
        let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        match self.engine.api.kill_container(&self.id, Some(options)).await {
            // 404: it is removed. 409: it has ended.
            Err(error) if !has_status(&error, &[404, 409]) => Err(api(KILL)(error)),
            _ => Ok(()),
        }
    }

    /// Asks the container to end, and kills it if it has not ended after `grace`. Takes at most five times as long,
    /// even with an engine that does not answer.
    ///
    /// # Errors
    /// [`EngineError::Api`] when the container may still run.
    pub async fn stop(&self, grace: Duration) -> Result<(), EngineError> {
        let asked = timeout(grace, self.signal("TERM")).await;
        // An error from `wait` says nothing about the command: it may be the engine's.
        if asked.is_ok() && matches!(timeout(grace, self.wait()).await, Ok(Ok(_))) {
            return Ok(());
        }
        match timeout(2 * grace, self.kill()).await {
            Ok(killed) => killed?,
            Err(_) => return Err(EngineError::timed_out(KILL)),
        }
        let _ = timeout(grace, self.wait()).await;
        Ok(())
    }

    /// Removes the container, running or not. A container that is already removed is no error.
    ///
    /// # Errors
    /// [`EngineError::Api`]
    pub async fn remove(&self) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.engine.api.remove_container(&self.id, Some(options)).await {
            // 404: it is removed. 409: the engine is removing it.
            Err(error) if !has_status(&error, &[404, 409]) => Err(api("remove the login's container")(error)),
            _ => Ok(()),
        }
    }
}

const KILL: &str = "kill the login's container";

impl Engine {
    /// Removes the containers, running or not, that carry the label of the login.
    ///
    /// # Errors
    /// [`EngineError::Api`]
    pub async fn remove_login_containers(&self, login: &str) -> Result<(), EngineError> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{LOGIN_LABEL}={login}")])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let found = self.api.list_containers(Some(options)).await.map_err(api("list containers"))?;
        for id in found.into_iter().filter_map(|container| container.id) {
            let container = Container { engine: self.clone(), id, terminal: false, volume: None };
            // Without the kill, Podman gives the container ten seconds to end.
            container.kill().await?;
            container.remove().await?;
        }
        Ok(())
    }
}
