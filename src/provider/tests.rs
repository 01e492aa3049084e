//! A second record of the bundled descriptors: where keys are sent and which variables they come from. Before
//! a line here changes, look at the vendor's documentation.

use std::collections::BTreeSet;

use super::{Mode, Registry};

/// Providers with API keys: name, base URL, `api.auth`, variables with a key, aliases.
const KNOWN: &[(&str, &str, &str, &str, &str)] = &[
    (
        "amazon-bedrock",
        "https://bedrock-runtime.us-east-1.amazonaws.com",
        "bearer",
        "AWS_BEARER_TOKEN_BEDROCK",
        "bedrock aws-bedrock",
    ),
    ("anthropic", "https://api.anthropic.com", "x-api-key", "ANTHROPIC_API_KEY", ""),
    ("blablador", "https://api.helmholtz-blablador.fz-juelich.de/v1", "bearer", "BLABLADOR_API_KEY", ""),
    ("byteplus", "https://ark.ap-southeast.bytepluses.com/api/v3", "bearer", "BYTEPLUS_API_KEY", ""),
    (
        "byteplus-plan",
        "https://ark.ap-southeast.bytepluses.com/api/coding/v3",
        "bearer",
        "BYTEPLUS_API_KEY",
        "",
    ),
    ("cerebras", "https://api.cerebras.ai/v1", "bearer", "CEREBRAS_API_KEY", ""),
    (
        "claude",
        "https://api.anthropic.com",
        "x-api-key",
        "ANTHROPIC_API_KEY",
        "claude-code claude-cli anthropic-claude-code",
    ),
    (
        "cloudflare-ai-gateway",
        "env:CLOUDFLARE_AI_GATEWAY_URL",
        "x-api-key",
        "CLOUDFLARE_AI_GATEWAY_API_KEY",
        "",
    ),
    ("coderabbit", "", "", "CODERABBIT_API_KEY", ""),
    ("codex", "https://api.openai.com/v1", "bearer", "OPENAI_API_KEY", "codex-cli openai-codex chatgpt"),
    ("copilot", "", "", "COPILOT_GITHUB_TOKEN GH_TOKEN", ""),
    ("deepseek", "https://api.deepseek.com", "bearer", "DEEPSEEK_API_KEY", ""),
    ("gemini", "", "", "GEMINI_API_KEY", "gemini-cli"),
    ("gh", "https://api.github.com", "bearer", "GH_TOKEN GITHUB_TOKEN", "github"),
    (
        "github-copilot",
        "https://api.individual.githubcopilot.com/v1",
        "bearer",
        "COPILOT_GITHUB_TOKEN GH_TOKEN GITHUB_TOKEN",
        "copilot-api gh-copilot",
    ),
    ("glab", "https://gitlab.com/api/v4", "private-token", "GITLAB_TOKEN", "gitlab"),
    (
        "google",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "bearer",
        "GEMINI_API_KEY GOOGLE_API_KEY",
        "gemini-api",
    ),
    ("groq", "https://api.groq.com/openai/v1", "bearer", "GROQ_API_KEY", ""),
    ("huggingface", "https://router.huggingface.co/v1", "bearer", "HF_TOKEN HUGGINGFACE_HUB_TOKEN", ""),
    ("kilocode", "https://api.kilo.ai/api/gateway", "bearer", "KILOCODE_API_KEY KILO_API_KEY", ""),
    (
        "kimi-coding",
        "https://api.kimi.com/coding",
        "x-api-key",
        "KIMI_API_KEY KIMI_CODING_API_KEY KIMICODE_API_KEY",
        "kimi-code kimi-for-coding",
    ),
    ("kisski", "https://chat-ai.academiccloud.de/v1", "bearer", "KISSKI_API_KEY", ""),
    ("litellm", "http://127.0.0.1:4000/v1", "bearer", "LITELLM_API_KEY", ""),
    ("minimax", "https://api.minimax.io/anthropic", "x-api-key", "MINIMAX_API_KEY", ""),
    ("mistral", "https://api.mistral.ai/v1", "bearer", "MISTRAL_API_KEY", ""),
    ("moonshot", "https://api.moonshot.ai/v1", "bearer", "MOONSHOT_API_KEY", "kimi"),
    ("nvidia", "https://integrate.api.nvidia.com/v1", "bearer", "NVIDIA_API_KEY", ""),
    ("ollama", "http://127.0.0.1:11434/v1", "bearer", "OLLAMA_API_KEY", ""),
    ("openai", "https://api.openai.com/v1", "bearer", "OPENAI_API_KEY", ""),
    ("opencode", "https://opencode.ai/zen/v1", "bearer", "OPENCODE_API_KEY", "opencode-zen"),
    ("openrouter", "https://openrouter.ai/api/v1", "bearer", "OPENROUTER_API_KEY", ""),
    ("perplexity", "https://api.perplexity.ai/v1", "bearer", "PERPLEXITY_API_KEY", ""),
    ("qianfan", "https://qianfan.baidubce.com/v2", "bearer", "QIANFAN_API_KEY", ""),
    (
        "qwen",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        "bearer",
        "DASHSCOPE_API_KEY BAILIAN_CODING_PLAN_API_KEY",
        "qwen-code",
    ),
    ("qwen-portal", "https://portal.qwen.ai/v1", "bearer", "QWEN_PORTAL_API_KEY", ""),
    ("sonar", "https://sonarcloud.io/api", "bearer", "SONAR_TOKEN", "sonarqube sonarcloud"),
    ("synthetic", "https://api.synthetic.new/anthropic", "x-api-key", "SYNTHETIC_API_KEY", ""),
    ("together", "https://api.together.xyz/v1", "bearer", "TOGETHER_API_KEY", ""),
    ("venice", "https://api.venice.ai/api/v1", "bearer", "VENICE_API_KEY", ""),
    ("vercel-ai-gateway", "https://ai-gateway.vercel.sh/v1", "bearer", "AI_GATEWAY_API_KEY", ""),
    ("vibe", "https://api.mistral.ai/v1", "bearer", "MISTRAL_API_KEY", "mistral-vibe"),
    ("vllm", "http://127.0.0.1:8000/v1", "bearer", "VLLM_API_KEY", ""),
    (
        "volcengine",
        "https://ark.cn-beijing.volces.com/api/v3",
        "bearer",
        "VOLCANO_ENGINE_API_KEY",
        "bytedance doubao",
    ),
    (
        "volcengine-plan",
        "https://ark.cn-beijing.volces.com/api/coding/v3",
        "bearer",
        "VOLCANO_ENGINE_API_KEY",
        "",
    ),
    ("voyage", "https://api.voyageai.com/v1", "bearer", "VOYAGE_API_KEY", ""),
    ("xai", "https://api.x.ai/v1", "bearer", "XAI_API_KEY", "x-ai"),
    ("xiaomi", "https://api.xiaomimimo.com/anthropic", "x-api-key", "XIAOMI_API_KEY", ""),
    ("zai", "https://api.z.ai/api/paas/v4", "bearer", "ZAI_API_KEY Z_AI_API_KEY", "z.ai z-ai"),
    ("zai-anthropic", "https://api.z.ai/api/anthropic", "x-api-key", "ZAI_API_KEY Z_AI_API_KEY", ""),
    ("zai-coding", "https://api.z.ai/api/coding/paas/v4", "bearer", "ZAI_API_KEY Z_AI_API_KEY", "zai-air"),
];

/// Providers with bearer tokens: name, variables with a token.
const TOKENS: &[(&str, &str)] = &[
    ("anthropic", "ANTHROPIC_OAUTH_TOKEN ANTHROPIC_AUTH_TOKEN"),
    ("claude", "CLAUDE_CODE_OAUTH_TOKEN"),
    ("codex", "OPENAI_CODEX_OAUTH_TOKEN"),
    ("minimax-portal", "MINIMAX_OAUTH_TOKEN"),
];

/// Providers with fields: provider and field, variable.
const FIELDS: &[(&str, &str)] = &[
    ("discord.bot_token", "DISCORD_BOT_TOKEN"),
    ("email.password", "EMAIL_PASSWORD"),
    ("email.username", "EMAIL_USERNAME"),
    ("slack.app_token", "SLACK_APP_TOKEN"),
    ("slack.bot_token", "SLACK_BOT_TOKEN"),
    ("telegram.bot_token", "TELEGRAM_BOT_TOKEN"),
    ("twitch.token", "TWITCH_TOKEN"),
];

fn list(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn bundled_api_providers_have_the_recorded_urls_and_variables() {
    let registry = Registry::bundled();
    for (name, url, auth, variables, aliases) in KNOWN {
        let provider = registry.by_name(name).unwrap_or_else(|| panic!("{name} is gone"));
        let api = provider.api.as_ref();
        let sent = api.map(|api| serde_json::to_value(api.auth).expect("JSON"));
        assert_eq!(api.map_or("", |api| &api.base_url), *url, "{name}");
        assert_eq!(sent.as_ref().and_then(|auth| auth.as_str()).unwrap_or(""), *auth, "{name}");
        let key = provider.api_key.iter().flat_map(|key| key.env_var.iter());
        assert_eq!(key.collect::<Vec<_>>(), list(variables), "{name}");
        assert_eq!(provider.aliases, list(aliases), "{name}");
        let version = api.and_then(|api| api.headers.get("anthropic-version")).map(String::as_str);
        assert_eq!(version, (*auth == "x-api-key").then_some("2023-06-01"), "{name}");
    }
    let taking_keys = registry.iter().filter(|p| p.api_key.is_some() || p.modes.contains(&Mode::ApiKey));
    let taking_keys: BTreeSet<&str> = taking_keys.map(|provider| provider.name.as_str()).collect();
    assert_eq!(taking_keys, KNOWN.iter().map(|known| known.0).collect(), "one more is one more line here");
}

#[test]
fn bundled_tokens_and_fields_have_the_recorded_variables() {
    let registry = Registry::bundled();
    let tokens = registry.iter().filter_map(|p| Some((p.name.as_str(), p.token.as_ref()?)));
    let tokens: Vec<_> =
        tokens.map(|(name, token)| (name, token.env_var.iter().collect::<Vec<_>>())).collect();
    assert_eq!(tokens, TOKENS.iter().map(|(name, variables)| (*name, list(variables))).collect::<Vec<_>>());
    let fields = registry.iter().flat_map(|p| {
        p.fields
            .iter()
            .map(|(field, f)| (format!("{}.{field}", p.name), f.env_var.clone().unwrap_or_default()))
    });
    let known = FIELDS.iter().map(|(field, variable)| ((*field).to_owned(), (*variable).to_owned()));
    assert_eq!(fields.collect::<BTreeSet<_>>(), known.collect());
}
