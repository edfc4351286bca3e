#!/bin/bash
#SBATCH --job-name=tfgen
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=8
#SBATCH --requeue

# Eight workers with a GPU each, named by Slurm's own variables. A requeued job resumes the run.
srun --kill-on-bad-exit=1 \
  tfgen train iwgan_mnist --strategy multiworker --resume --out "${RUNS:-$HOME/runs}/iwgan_mnist"
