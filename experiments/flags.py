"""The flags of all experiments, each defined here once.

A script adopts those that it takes (`launch.adopt`), so that its `--help` lists them and any other is an error. What
those that name a setting of a run come down to is in `overlay.py`.
"""

from absl import flags

flags.DEFINE_string(
    "machine",
    None,
    "Machine type, such as slide_rail, fan or toy_car; several, such as fan,pump; or all that are in --data_dir. "
    "Without --data_dir only slide_rail is there (synthetic). May be left out where --data_dir has only one machine.",
)
flags.DEFINE_list("machine_id", [], "Only these machine ids, such as id_00,id_02. Default: all.")
flags.DEFINE_string("data_dir", None, "Folder of recordings. Default: the built-in synthetic slide rail.")
flags.DEFINE_string(
    "dataset",
    None,
    "Force the layout of --data_dir: dcase2020, dcase2021, dcase2022 (up to 2026), mimii, toyadmos or any_folder. "
    "Default: recognised.",
)
flags.DEFINE_string("embeddings", None, "File of vectors computed elsewhere (.npz; docs/datasets.md has the schema).")
flags.DEFINE_string(
    "channel",
    None,
    "Channel of recordings with several: mix (their mean) or a number from 0. Default: mix; 0 for MIMII, "
    "ToyADMOS and stereo recordings laid out like those of DCASE 2026.",
)
flags.DEFINE_string(
    "reference_channel",
    None,
    "Microphone far from the machine: what it explains of --channel is taken away; none for none. Default: 1 for "
    "stereo recordings laid out like those of DCASE 2026, without --channel; else none.",
)
flags.DEFINE_float(
    "far_bleed", 0.0, "Built-in slide rail with --reference_channel=1: how loud its far microphone hears the machine."
)
flags.DEFINE_enum(
    "supplemental",
    None,
    ["train", "mix"],
    "Supplemental clips of DCASE 2025: train the network on the clean machine too, or on clips with noise mixed in.",
)
flags.DEFINE_integer("split_seed", 0, "Seed of the split into train and test, where recordings come without one.")
flags.DEFINE_float(
    "clip_seconds", None, "Cut recordings into clips of this length. Default: their median, where some are far longer."
)
flags.DEFINE_float("clip_hop_seconds", None, "From the start of a clip to that of the next. Default: --clip_seconds.")
flags.DEFINE_bool("skip_bad_files", False, "Leave unreadable files out and count them, instead of stopping.")
flags.DEFINE_bool("prepare", True, "Keep decoded recordings in --cache_dir, so that later runs read them from there.")
flags.DEFINE_string("cache_dir", None, "Folder of prepared recordings. Default: asd_jax in the user's cache folder.")
flags.DEFINE_float(
    "max_memory_gb",
    None,
    "Memory for frames, in GB: what takes more is kept in a file of --cache_dir. Default: half of what is free.",
)
flags.DEFINE_string("workdir", None, "Folder to write into. Default: runs/<experiment>/<machine>/<time>.")
flags.DEFINE_string(
    "out", None, "File to write (of score_archive a folder); the ending of a picture says its format: png, pdf, svg."
)
flags.DEFINE_bool("resume", False, "Go on with the run in --workdir; flags left out are taken from it.")
flags.DEFINE_string("config", None, "Run the config.json of another run again; flags that are given are laid over it.")
flags.DEFINE_integer("seed", 0, "Seed of parameters, order of examples and validation clips.", lower_bound=0)
flags.DEFINE_integer("num_seeds", 1, "Networks to train, of --seed and the seeds after it; results as mean ± sd too.")
flags.DEFINE_bool("per_machine_id", False, "Train one network for each machine id instead of one for all.")
flags.DEFINE_integer("epochs", None, "Passes over the training clips. Default: the recipe's.")
flags.DEFINE_integer("batch_size", None, "Examples a step. Default: the recipe's.")
flags.DEFINE_float("learning_rate", None, "Adam's learning rate at the start. Default: the recipe's.")
flags.DEFINE_string(
    "objective",
    None,
    "What training minimises: reconstruction; for embeddings scadacos, adaproj. Default: the recipe's.",
)
flags.DEFINE_list("branches", None, "Parts of the network: spectrum, and the n_fft of spectrograms, such as 256,1024.")
flags.DEFINE_float("mixup", None, "Share of examples that are mixed with another one. Default: 0.5.")
flags.DEFINE_integer("pseudo_classes", None, "Groups to tell apart where all clips are of one class. Default: 16.")
flags.DEFINE_string("mesh", None, "data splits every batch over all devices; none, the default, takes one.")
flags.DEFINE_bool(
    "distributed",
    False,
    "Train on several hosts, which JAX finds by itself under Slurm, Open MPI, Kubernetes or on Cloud TPUs; the same "
    "command on each, with --mesh=data.",
)
flags.DEFINE_string(
    "coordinator_address", None, "Train on several hosts that nothing announces: HOST:PORT of the first, on all."
)
flags.DEFINE_integer("num_processes", None, "With --coordinator_address: how many hosts there are.", lower_bound=1)
flags.DEFINE_integer("process_id", None, "With --coordinator_address: which host this is, from 0.", lower_bound=0)
flags.DEFINE_integer("join_seconds", 300, "How long hosts wait for one another at the start.", lower_bound=1)
flags.DEFINE_integer("lost_seconds", 60, "How long a host may be silent before the others end, too.", lower_bound=5)
flags.DEFINE_integer("hidden_size", None, "Width of each recurrent layer. Default: the recipe's.", lower_bound=1)
flags.DEFINE_integer("window_frames", None, "Frames of a window; one starts every half of them.", lower_bound=2)
flags.DEFINE_list(
    "bottleneck_size",
    None,
    "Width of the bottleneck. Several, such as 2,4,8, are all trained, and the smallest within one standard error of "
    "the best validation error is taken. Default: the recipe's.",
)
flags.DEFINE_float("validation_fraction", 0.1, "Share of each machine id's training clips kept for validation.")
flags.DEFINE_string("scorer", None, "Headline scorer, fixed before results are seen. Default: the recipe's.")
flags.DEFINE_list(
    "scorers",
    None,
    "Scorers reported beside the headline, as exploratory. Networks: all but iforest; others: none, or all.",
)
flags.DEFINE_string(
    "fusion", None, "Scorers to fuse, such as knn+mahalanobis: their standardised scores, reported as fusion."
)
flags.DEFINE_enum("fusion_rule", "mean", ["mean", "max"], "What --fusion takes of the standardised scores.")
flags.DEFINE_string(
    "features", None, "Features of a frame, side by side: log_mel, lmfe, mfcc, cens, ... Default: the recipe's."
)
flags.DEFINE_enum(
    "preset",
    "dcase",
    ["dcase", "librosa", "torchaudio", "vggish", "efficientat"],
    "Settings of the spectrogram and the mel filterbank, as this project's or library's defaults have them.",
)
flags.DEFINE_string(
    "threshold",
    "gamma_0.9",
    "Rule of the decision threshold, fitted on normal clips: gamma_Q, percentile_Q or conformal (conformal_Q).",
)
flags.DEFINE_bool("submission", False, "Write the files that DCASE Task 2 takes into submission/ of the run as well.")
flags.DEFINE_string("checkpoint", None, "Folder of a finished run.")
flags.DEFINE_string("model", None, "File that experiments.export wrote, in place of --checkpoint; needs no JAX.")
flags.DEFINE_bool(
    "report", None, "Write report.html, a page to look at in a browser. Default: yes, with plots/; of score: no."
)
flags.DEFINE_bool("tensorboard", True, "Write TensorBoard events to tensorboard/.")
flags.DEFINE_bool("debug", False, "Show the traceback of errors.")

flags.DEFINE_list("summary", None, "Statistics of a clip's frames: mean, std, max, twfr. Default: the experiment's.")
flags.DEFINE_float("twfr_decay", 0.99, "Weight of a frame relative to the next higher one in twfr: 1 is the mean.")
flags.DEFINE_bool(
    "frames",
    None,
    "Score overlapping mel frames scaled to [0, 1] and pool them, rather than one vector a clip. Default: the "
    "experiment's, and not with --features or --summary.",
)
flags.DEFINE_float("frame_seconds", 0.6, "Duration of an overlapping frame, in seconds.", lower_bound=0.0)
flags.DEFINE_float(
    "overlap", 0.5, "Share of an overlapping frame that the next one repeats.", lower_bound=0.0, upper_bound=0.99
)
flags.DEFINE_enum("pool", "mean", ["mean", "max", "gwrp"], "How scores of frames become a clip's.")
flags.DEFINE_float("pca", None, "Put principal components before the scorer: this share of the variance, or number.")
flags.DEFINE_bool("search", False, "Choose the scorer's settings on the normal training clips, without labels.")
flags.DEFINE_bool(
    "oracle_search", False, "Choose them by the labels of the test clips: reproduces published tables, is no result."
)
flags.DEFINE_integer("n_clusters", None, "Centres a machine id. Default: 1.", lower_bound=1)
flags.DEFINE_integer("n_components", None, "Gaussians. Default: 1.", lower_bound=1)
flags.DEFINE_enum("covariance_type", None, ["full", "tied", "diag", "spherical"], "Kind of covariance. Default: full.")
flags.DEFINE_float("reg_covar", None, "Added to the diagonal of standardised vectors. Default: 1e-3.", lower_bound=0)
flags.DEFINE_float("nu", None, "Bound on the share of normal clips left outside. Default: 0.1.")
flags.DEFINE_string(
    "gamma", None, "Of the kernel: a number, scale (1 / (dim * variance)) or a multiple of it like 4*scale."
)
flags.DEFINE_integer("n_trees", None, "Trees of the forest. Default: 200.", lower_bound=1)
flags.DEFINE_integer("n_neighbors", None, "Neighbours looked at. Default: 10 for lof, 2 for knn.", lower_bound=1)
flags.DEFINE_integer("context_frames", None, "Frames that a prediction sees. Default: the recipe's.", lower_bound=1)
flags.DEFINE_bool(
    "carry_state", False, "Carry the state through a segment instead of starting anew for each prediction: faster."
)
flags.DEFINE_integer("window_hop", None, "Frames from one window to the next. Default: the recipe's.", lower_bound=1)

# What scripts adopt together.
OUTPUTS = ("report", "tensorboard", "submission")
DATA = (
    "machine",
    "machine_id",
    "data_dir",
    "dataset",
    "channel",
    "reference_channel",
    "far_bleed",
    "skip_bad_files",
    "split_seed",
    "clip_seconds",
    "clip_hop_seconds",
    "prepare",
    "cache_dir",
    "max_memory_gb",
)
RUN = (*DATA, "workdir", "resume", "config", "seed", "scorers", "fusion", "fusion_rule", "threshold", *OUTPUTS, "debug")
HOSTS = ("distributed", "coordinator_address", "num_processes", "process_id", "join_seconds", "lost_seconds")
NETWORK = (
    *RUN,
    "features",
    "preset",
    "num_seeds",
    "per_machine_id",
    "epochs",
    "batch_size",
    "learning_rate",
    "objective",
    "mesh",
    *HOSTS,
    "validation_fraction",
    "scorer",
    "supplemental",
)
SEARCH = (*RUN, "search", "oracle_search")
STATISTICS = (
    *SEARCH,
    "features",
    "preset",
    "summary",
    "twfr_decay",
    "frames",
    "frame_seconds",
    "overlap",
    "pool",
    "pca",
)
